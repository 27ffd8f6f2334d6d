"""JSON Lines, in and out, and JSON files, in."""

import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path

from uniapl.errors import UserError
from uniapl.provenance import checksums

REMEDY = "restore it, or run what wrote it again"
BEGINNINGS = {  # of a line that is not JSON: what it is, and what to do
    "\0": "zeros, as a machine leaves them that stopped while it wrote: take a copy that is whole",
    "version https://git-lfs": "a pointer of Git LFS stands in the file's place: git lfs pull",
    "<<<<<<<": "a merge left its marks: take one of the two versions",
    "<": "a web page or XML: download the file itself",
    "{'": "Python's own form: write it with json.dumps",
}


def read_json(path: Path, keys: Iterable[str] = (), remedy: str = REMEDY) -> dict:
    """The object of a JSON file, with at least these keys. Raises UserError as `file:line: problem; remedy`."""
    checksums.check(path)
    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"))
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


def read_jsonl(path: str | Path, fields: Iterable[str] = ()) -> list[dict]:
    """The objects of a JSON Lines file or a JSON array, each with at least these fields. Raises like `each_row`."""
    rows = list(each_row(path))
    for number, row in enumerate(rows, start=1):
        require(row, fields, f"{path}: row {number}")
    return rows


def each_row(path: str | Path) -> Iterator[dict]:
    """The objects of a JSON Lines file one by one, blank lines left out, or those of an array, as old lm-eval wrote.

    A byte order mark and every kind of line end are read. An array, which is one value, is read whole. Raises UserError
    as `file:line: problem; remedy`, at the line in question, and for a file without rows.
    """
    first, found = True, False
    checksums.check(Path(path))
    try:
        with open(path, encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                rows = []
                if first and line.lstrip().startswith("["):
                    rows = _array(line + lines.read(), path, number)
                elif line.strip():
                    rows = [_parse(line, f"{path}:{number}")]
                first = first and not line.strip()
                found = found or bool(rows)
                yield from rows
    except UnicodeDecodeError:
        raise UserError(f"{path}:{_undecodable(path)}: not UTF-8, which JSON is: save the file as UTF-8") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error
    if not found:
        raise UserError(f"{path}: holds no rows")


def _undecodable(path: str | Path) -> int:
    """The number of the first line that is not UTF-8."""
    with open(path, "rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 1


def _array(text: str, path: str | Path, first: int) -> list[dict]:
    """The objects of a JSON array that begins at this line of a file."""
    try:
        rows = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{path}:{first + error.lineno - 1}: not JSON: {error.msg}{_remedy(text)}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}:{first}: not JSON: {error}") from error
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise UserError(f"{path}: row {number}: a row must be a JSON object, not {type(row).__name__}")
    return rows


def _parse(line: str, where: str) -> dict:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: not JSON: {error}{_remedy(line)}") from error
    if not isinstance(row, dict):
        raise UserError(f"{where}: a row must be a JSON object, not {type(row).__name__}")
    return row


def _remedy(line: str) -> str:
    """What probably became of a line that is not JSON, and what to do about it."""
    line = line.strip()
    for start, remedy in BEGINNINGS.items():
        if line.startswith(start):
            return f"; {remedy}"
    if '{""' in line:
        return "; a spreadsheet has put it in quotes: take the file that it was made of, or write JSON Lines again"
    if line.endswith(","):
        return "; it ends in a comma: JSON Lines has one object a line, and nothing between them"
    if line in ("{", "}") or line.startswith("{") and not line.endswith("}"):
        return "; an object must stand on one line, whole"
    if not line.startswith(("{", "[")):
        return "; a table, as CSV, is not read here: write JSON Lines"
    return ""


def whole(value: object) -> object:
    """A number that another tool saved as 1.0 is 1; what it saved as NaN is None. Anything else stays."""
    if not isinstance(value, float):
        return value
    if math.isnan(value):
        return None
    return int(value) if value.is_integer() else value


def is_text(value: object) -> bool:
    """Is a value text, and not blank?"""
    return isinstance(value, str) and bool(value.strip())


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
