"""JSON Lines, in and out."""

import json
from collections.abc import Iterable
from pathlib import Path

from uniapl.errors import UserError


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


def write_jsonl(path: Path, rows: Iterable[dict]) -> None:
    """One JSON object a line, UTF-8."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
