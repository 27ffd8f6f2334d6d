"""Fresh clones in which commands of the user run, with nothing on PATH but what a test puts there."""

import collections
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from support.places import ROOT

# by looking at a workflow, or by running it: no one's results
MADE_ANEW = {".snakemake", ".snakemake.lock", ".snakemake.jobs.lock", "__pycache__"}


@functools.cache
def loaded_snakemake() -> subprocess.Popen:
    """The process of this one's Snakemake commands; it ends with this one."""
    keep = {name: value for name, value in os.environ.items() if name in ("HOME", "TMPDIR", "PATH")}
    script, env = ROOT / "tests/support/snakemakes.py", keep | {"PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen([sys.executable, script], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


class Clone:
    """A copy of what git tracks or would track, without results, and a folder of executables that is all of PATH."""

    def __init__(self, folder: Path, bin: Path):
        self.folder, self.bin = folder, bin
        names = ["git", "ls-files", "-co", "--exclude-standard", "-z", "--", ":!results"]
        for name in subprocess.run(names, cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0"):
            path = Path(os.fsdecode(name))
            if name and (ROOT / path).is_file():  # a deleted file is still listed
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / path, folder / path)
        bin.mkdir()
        for name in ("bash", "sh", "which"):  # the last for the Slurm plugin, where it is installed
            (bin / name).symlink_to(shutil.which(name))
        self.tool("python", f'exec "{sys.executable}" "$@"')

    def tool(self, name: str, script: str) -> None:
        """Put an executable on PATH."""
        (self.bin / name).write_text(f"#!{self.bin}/bash\n{script}\n")
        (self.bin / name).chmod(0o755)

    def write(self, name: str, text: str = "") -> Path:
        """A file of the clone."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def environment(self) -> dict[str, str]:
        """The variables of every command."""
        env = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
        return env | {"PATH": str(self.bin), "PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}

    def run(self, *command: str | Path) -> tuple[int, str]:
        """Exit code and everything printed, stderr first."""
        env = self.environment()
        done = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=300)
        return done.returncode, done.stderr + done.stdout

    def snakemake(self, *arguments: str) -> tuple[int, str]:
        """`snakemake ARGUMENTS` in the clone: exit code and everything printed, stderr first."""
        with tempfile.NamedTemporaryFile("r") as out, tempfile.NamedTemporaryFile("r") as err:
            command = {"folder": str(self.folder), "environment": self.environment()}
            command |= {"arguments": arguments, "printed": [out.name, err.name]}
            server = loaded_snakemake()
            print(json.dumps(command), file=server.stdin, flush=True)
            code = int(server.stdout.readline())
            return code, err.read() + out.read()

    def files(self) -> dict[str, tuple[bytes, int]]:
        """Content and time of every file, except what Snakemake and Python keep for themselves."""
        paths = (p for p in self.folder.rglob("*") if p.is_file() and not MADE_ANEW & set(p.parts))
        return {str(p.relative_to(self.folder)): (p.read_bytes(), p.stat().st_mtime_ns) for p in paths}


def planned(output: str) -> dict[str, int]:
    """Number of jobs per rule of a dry run; none where there is nothing to do."""
    if "Job stats:" not in output:
        assert "Nothing to be done" in output, output
        return {}
    table = output.split("Job stats:")[1]
    jobs = collections.Counter()
    for rule, n in re.findall(r"^(\S+) +(\d+)$", table.split("\n\n")[0], re.MULTILINE):
        jobs[rule] += int(n)
    assert jobs.pop("total") == jobs.total()
    return dict(jobs)


def refused(clone: Clone, *arguments: str) -> str:
    """The one line that `snakemake ARGUMENTS` ends with; nothing is planned and no file changes."""
    before = clone.files()
    code, printed = clone.snakemake(*arguments)
    errors = [line for line in printed.splitlines() if line.startswith("error: ")]
    assert code != 0 and len(errors) == 1, printed
    assert "Traceback" not in printed and "Job stats" not in printed, printed
    assert clone.files() == before
    return errors[0]


def asking(text: str, name: str = "extra") -> str:
    """An experiment file of this name with this inside its Experiment(...)."""
    return (
        "from baselines import grpo, sft\n"
        "from uniapl.config import Arm, Experiment\n"
        f"EXPERIMENT = Experiment(name='{name}', question='', expectation='', worlds=('miniature', 'public'), {text})\n"
    )
