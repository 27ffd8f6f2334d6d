"""What the readers share: a published table as Python rows, and a row in the suite's form."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow
import pyarrow.parquet
from pyarrow import types

from uniapl import checkers
from uniapl.errors import UserError
from uniapl.jsonl import whole

Kind = tuple[str, Callable[[pyarrow.DataType], bool]]  # in words, and as a test of a column's type


def _text(column_type: pyarrow.DataType) -> bool:
    return types.is_string(column_type) or types.is_large_string(column_type)


def _list(column_type: pyarrow.DataType) -> bool:
    return types.is_list(column_type) or types.is_large_list(column_type)


def _messages(column_type: pyarrow.DataType) -> bool:
    inner = column_type.value_type if _list(column_type) else None
    names = {inner.field(i).name: inner.field(i).type for i in range(inner.num_fields)} if inner else {}
    return {"content", "role"} <= names.keys() and _text(names["content"]) and _text(names["role"])


TEXT: Kind = ("text", _text)
KEY: Kind = ("text or whole numbers", lambda kind: _text(kind) or types.is_integer(kind))
TEXTS: Kind = ("lists of texts", lambda kind: _list(kind) and _text(kind.value_type))
OBJECTS: Kind = ("lists of objects", lambda kind: _list(kind) and types.is_struct(kind.value_type))
TEXT_OR_OBJECTS: Kind = ("text or lists of objects", lambda kind: _text(kind) or OBJECTS[1](kind))
MESSAGES: Kind = ("lists of {content, role}", _messages)


def read_parquet(path: Path, columns: Mapping[str, Kind]) -> list[dict]:
    """These columns of a Parquet file, as rows. Raises UserError where one is missing or of another type."""
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            schema = file.schema_arrow
            for name, (words, fits) in columns.items():
                if name not in schema.names:
                    raise UserError(f"{path}: has no column {name}; it has {', '.join(schema.names)}")
                if not fits(schema.field(name).type):
                    raise UserError(f"{path}: column {name} holds {schema.field(name).type}, not {words}")
            return file.read(columns=list(columns)).to_pylist()
    except (OSError, pyarrow.ArrowException) as error:
        raise UserError(f"{path}: {error}") from error


def files(folder: Path, pattern: str) -> list[Path]:
    """The files of a data set, in order of name. Raises UserError where there are none."""
    paths = sorted(folder.glob(pattern))
    if not paths:
        raise UserError(f"{folder}: has no {pattern}")
    return paths


def without_padding(kwargs: Mapping[str, object]) -> dict:
    """Arguments as the checkers take them: without the Nones that pad a table's rows, whole floats as int.

    A table turns a column of numbers with gaps into floats.
    """
    return {name: whole(value) for name, value in kwargs.items() if whole(value) is not None}


def as_row(name: str, row: Mapping, benchmark: str) -> dict:
    """A valid row of IFEval's form as the suite's, with a key of its own among all data sets."""
    return {
        "key": f"{name}/{row['key']}",
        "prompt": row["prompt"],
        "instruction_id_list": list(row["instruction_id_list"]),
        "kwargs": [without_padding(kwargs) for kwargs in row["kwargs"]],
        "benchmark": benchmark,
    }


# training data: what cannot be used is left out, and counted -------------------------------------


class LeftOut(Exception):
    """A row of training data that cannot be used. `reason` is counted; the message says which row and why."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Pool:
    """Usable rows of training data; how many others there were by reason, with the first of each."""

    rows: list[dict]
    left_out: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)


def check_instructions(ids: Sequence[str], kwargs: Sequence[Mapping], where: str) -> None:
    """Raise LeftOut unless every instruction is known and its arguments are possible, and text that can be written."""
    try:
        json.dumps([*ids, *kwargs], ensure_ascii=False).encode()
    except (TypeError, UnicodeEncodeError):  # a literal may hold bytes or half a surrogate pair
        raise LeftOut("arguments that are no text", f"{where}: an argument is no JSON in UTF-8") from None
    for instruction_id, kwargs_of_one in zip(ids, kwargs, strict=True):
        is_known = instruction_id in checkers.INSTRUCTIONS
        try:
            checkers.build(instruction_id, kwargs_of_one, where=where)
        except UserError as error:
            raise LeftOut(
                f"{'impossible arguments of' if is_known else 'unknown verifier'} {instruction_id}", str(error)
            ) from None


def pool(paths: Iterable[Path], columns: Mapping[str, Kind], read: Callable[[dict, str], dict]) -> Pool:
    """The rows of these files that `read(row, where)` makes of them; those for which it raises LeftOut are counted.

    A key that occurs again is numbered: `<key>~2`, so that rows stay apart where a data set repeats one.
    """
    rows: list[dict] = []
    reasons: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for path in paths:
        for number, published in enumerate(read_parquet(path, columns), start=1):
            try:
                row = read(published, f"{path}: row {number}, key {published['key']}")
            except LeftOut as left_out:
                reasons[left_out.reason] += 1
                examples.setdefault(left_out.reason, str(left_out))
                continue
            seen[row["key"]] += 1
            again = seen[row["key"]]
            rows.append(row if again == 1 else {**row, "key": f"{row['key']}~{again}"})
    return Pool(rows, dict(sorted(reasons.items())), examples)
