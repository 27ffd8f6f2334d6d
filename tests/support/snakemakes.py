"""Snakemake, loaded once for many commands: a fork runs each as `python -m snakemake` would, and ends with it.

Half of the time of a dry run is the import of Snakemake. A line on stdin is a command, a line on stdout its exit code.
"""

import json
import os
import signal
import sys

from snakemake import cli
from snakemake.shell import shell


def become(folder: str, environment: dict[str, str], arguments: list[str], printed: list[str]) -> None:
    """Be the process of a command: its folder, variables, arguments, and the files of its stdout and stderr."""
    for stream, path in enumerate((os.devnull, *printed)):
        os.dup2(os.open(path, os.O_WRONLY if stream else os.O_RDONLY), stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[0] = folder  # where this file's folder was
    sys.argv = [cli.__file__, *arguments]
    shell.executable("bash")  # of its own PATH, as at the import
    signal.alarm(300)


if __name__ == "__main__":
    for line in sys.stdin:
        if child := os.fork():
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        else:
            become(**json.loads(line))
            sys.exit(cli.main())
