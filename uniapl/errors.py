"""Mistakes of a user end in one clear line and an exit code, never in a traceback."""

import argparse
import errno
import functools
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence

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
    """Turn a UserError that leaves `main`, an OSError about a file, or what a full disk made a library raise, into
    `error: ...` on stderr and exit code 2.

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
        except Exception as error:
            line = of_a_file(error) or of_a_full_disk(error)
            if line is None:
                raise
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


def of_a_file(error: Exception) -> str | None:
    """`filename: what is wrong with it` of an OSError that names a file, else None."""
    named = isinstance(error, OSError) and error.filename is not None and error.strerror
    return f"{error.filename}: {error.strerror}" if named else None


def of_a_full_disk(error: Exception) -> str | None:
    """What to do where a full disk is why this was raised, with the room on the disks in question; else None.

    safetensors raises a class of its own with the system's words; PyTorch speaks of an iostream, and leaves what it
    wrote, so that nothing is free.
    """
    folders = {os.stat(folder).st_dev: folder for folder in (tempfile.gettempdir(), os.getcwd())}  # one for each disk
    free = {folder: shutil.disk_usage(folder).free for folder in folders.values()}
    full = min(free.values()) < 2**20
    if not any(_says_full(cause) or full and "iostream error" in str(cause) for cause in _causes(error)):
        return None
    room = ", ".join(f"{size / 1e6:,.0f} MB free in {folder}" for folder, size in free.items())
    return f"No space left on device ({room}): make room and run again"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _says_full(error: BaseException) -> bool:
    said = any(words in str(error) for words in ("No space left on device", "Disk quota exceeded"))
    return said or getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
