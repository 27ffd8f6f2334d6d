"""Mistakes of a user end in one clear line and an exit code, never in a traceback."""

import argparse
import errno
import functools
import os
import sys
from collections.abc import Callable, Sequence

SHOWN = 3  # names in a message that counts them all


class UserError(ValueError):
    """What is wrong, where (file, line, key) and what to do about it, in one line."""


def first_names(names: Sequence) -> str:
    """`a, b, c, ...`: the first of them, for a line that counts them all."""
    return ", ".join(map(str, names[:SHOWN])) + (", ..." if names[SHOWN:] else "")


def at_least_one(args: argparse.Namespace, *names: str) -> None:
    """Raise UserError for an option that is given and below 1."""
    for name in names:
        value = getattr(args, name)
        if value is not None and value < 1:
            raise UserError(f"--{name.replace('_', '-')} {value}: must be at least 1")


def one_line_errors(main: Callable) -> Callable:
    """Turn a UserError that leaves `main`, or an OSError about a file, into `error: ...` on stderr and exit code 2.

    Where the reader of stdout has gone, as after `| head`, it ends quietly with 141, a shell's code for SIGPIPE.
    """

    @functools.wraps(main)
    def wrapped(*args, **kwargs):
        try:
            result = main(*args, **kwargs)
            sys.stdout.flush()
            return result
        except BrokenPipeError:
            drop_stdout()
            raise SystemExit(141) from None
        except UserError as error:
            line = str(error)
        except OSError as error:
            line = of_a_file(error)
            if line is None:
                raise
            if error.filename is None:
                drop_stdout()
        print(f"error: {' '.join(line.split())}", file=sys.stderr)
        raise SystemExit(2)

    return wrapped


def drop_stdout() -> None:
    """Write what stdout still holds to nowhere, if it cannot be written: else Python complains at its exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def of_a_file(error: OSError) -> str | None:
    """`filename: what is wrong with it`; without a name where the disk is full; None for an error of anything else."""
    if error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return error.strerror if error.errno in (errno.ENOSPC, errno.EDQUOT) else None
