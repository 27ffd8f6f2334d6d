"""JSON Lines, in and out, and JSON files, in."""

import json
from collections.abc import Iterable
from pathlib import Path

from uniapl.errors import UserError

REMEDY = "restore it, or run what wrote it again"


def read_json(path: Path, keys: Iterable[str] = (), remedy: str = REMEDY) -> dict:
    """The object of a JSON file, with at least these keys. Raises UserError as `file:line: problem; remedy`."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise UserError(f"{path}:{error.lineno}: not JSON: {error.msg}; {remedy}") from error
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; {remedy}") from error
    except (ValueError, RecursionError) as error:  # not UTF-8, or nested too deeply
        raise UserError(f"{path}: {error}; {remedy}") from error
    require(value, keys, path, remedy)
    return value


def require(value: object, keys: Iterable[str], where: str | Path, remedy: str = REMEDY) -> None:
    """Raise UserError unless the value is an object with at least these keys."""
    if not isinstance(value, dict):
        raise UserError(f"{where}: must be a JSON object, not {type(value).__name__}; {remedy}")
    if absent := [key for key in keys if key not in value]:
        raise UserError(f"{where}: no key {', '.join(absent)}; it has {', '.join(value) or 'none'}; {remedy}")


def read_jsonl(path: str | Path) -> list[dict]:
    """The objects of a JSON Lines file, without its blank lines. Raises UserError as `file:line: problem`."""
    rows = []
    try:
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    rows.append(_parse(line, f"{path}:{number}"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: {error}") from error
    if not rows:
        raise UserError(f"{path}: holds no rows")
    return rows


def _parse(line: str, where: str) -> dict:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: not JSON: {error}") from error
    if not isinstance(row, dict):
        raise UserError(f"{where}: a row must be a JSON object, not {type(row).__name__}")
    return row


def writable(text: str) -> bool:
    """Can UTF-8 hold the text? Not half a surrogate pair, which JSON can."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def write_jsonl(path: Path, rows: Iterable[dict]) -> None:
    """One JSON object a line, UTF-8."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
