"""Mistakes of a user end in one clear line and an exit code, never in a traceback."""

import functools
import sys
from collections.abc import Callable


class UserError(ValueError):
    """What is wrong, where (file, line, key) and what to do about it, in one line."""


def one_line_errors(main: Callable) -> Callable:
    """Turn a UserError that leaves `main` into `error: ...` on stderr and exit code 2."""

    @functools.wraps(main)
    def wrapped(*args, **kwargs):
        try:
            return main(*args, **kwargs)
        except UserError as error:
            print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
            raise SystemExit(2) from None

    return wrapped
