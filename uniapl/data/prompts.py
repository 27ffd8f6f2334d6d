"""Prompts: what a row must hold, for everything that trains on it, answers it or scores it."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from uniapl import checkers
from uniapl.errors import SHOWN, UserError, first_names
from uniapl.jsonl import each_row, read_jsonl, whole, writable

PROMPT_FIELDS = {"key": (int, str), "prompt": str}
SHARED = "prompts of {} share a key"
ROUNDED = re.compile(r"\d(\.\d+)?E\+\d+")  # how a spreadsheet saves a long number


def name_of_row(row: dict) -> str:
    """How a message names a row: by its key, or else by its prompt's first words, or by what it has instead."""
    if row.get("key") is not None:
        return f"key {row['key']}"
    if row.get("prompt") is None:
        return f"a row with neither key nor prompt, but {first_names([*row]) or 'nothing'}"
    return f"prompt {' '.join(str(row.get('prompt')).split()[:8])!r}"


def with_key(row: dict, where: str) -> dict:
    """The row with a key of 7.0 as 7. Raises UserError for one that a spreadsheet has rounded."""
    if isinstance(row.get("key"), str) and ROUNDED.fullmatch(row["key"]):
        raise UserError(f"{where}: a spreadsheet has rounded the key {row['key']}: take the keys of the original file")
    return {**row, "key": whole(row["key"])} if isinstance(row.get("key"), float) else row


class Refused:
    """Rows that something is wrong with: how many there are, and the names of the first, which a message shows."""

    def __init__(self) -> None:
        self.count = 0
        self.names: dict[str, None] = {}

    def add(self, row: dict) -> None:
        self.count += 1
        if len(self.names) <= SHOWN:  # one more than a message shows: it says that there are more
            self.names.setdefault(name_of_row(row))

    def end(self, total: int, problem: str, where: str = "") -> None:
        """Raise UserError with count and names, unless there was none."""
        if self.count:
            raise UserError(f"{where}{self.count} of {total} {problem}: {first_names([*self.names])}")


def refuse_rows(rows: Iterable[dict], total: int, problem: str, where: str = "") -> None:
    """Raise UserError with a count and the first names, unless there are no `rows`."""
    refused = Refused()
    for row in rows:
        refused.add(row)
    refused.end(total, problem, where)


def each_valid(rows: Iterable[dict], where: str | Path, family: str | None = None) -> Iterator[dict]:
    """`rows` one by one, each with valid fields and instructions (of `family`, where given).

    Their instructions are lists, in whatever form of `checkers.read_instructions` the rows had them. Raises UserError
    that names `where` and the row's key or number; at the end, where keys are numbers and texts. That no two rows share
    a key is not checked: it takes all of them (`valid_prompts`, `uniapl.scorers.match.Pairs`).
    """
    kinds = set()
    for number, row in enumerate(rows, start=1):
        here = f"{where}: row {number}, {name_of_row(row)}"
        row = with_key(row, here)
        for field, expected in PROMPT_FIELDS.items():
            if not isinstance(row.get(field), expected):
                raise UserError(f"{here}: {field} is missing or of a wrong type")
        ids, kwargs = checkers.read_instructions(row, here)
        if not isinstance(row.get("benchmark"), str | None):
            raise UserError(f"{here}: benchmark is {row['benchmark']!r:.40}, and must be text")
        for field in ("key", "benchmark"):
            if not writable(str(row.get(field))):
                raise UserError(f"{here}: {field} {row[field]!r} has half a surrogate pair, which no table can hold")
        checkers.build_all(ids, kwargs, where=here, family=family)
        kinds.add(type(row["key"]))
        others = {name: value for name, value in row.items() if name != "instructions"}
        yield {**others, "instruction_id_list": ids, "kwargs": kwargs}
    if len(kinds) > 1:
        raise UserError(f"{where}: keys must be all numbers or all text")


def valid_prompts(rows: Iterable[dict], where: str | Path, family: str | None = None) -> list[dict]:
    """`rows` as `each_valid` has them, every one with a key of its own. Raises UserError like it."""
    valid = list(each_valid(rows, where, family))
    counts = Counter(row["key"] for row in valid)
    refuse_rows([row for row in valid if counts[row["key"]] > 1], len(valid), SHARED.format(where))
    return valid


def each_prompt(path: str | Path, family: str | None = None) -> Iterator[dict]:
    """The rows of a prompts file one by one, valid as `each_valid` says. Raises UserError that names the file."""
    return each_valid(each_row(path), path, family)


def read_prompts(path: str | Path, family: str | None = None) -> list[dict]:
    """The rows of a prompts file, valid as `valid_prompts` says. Raises UserError that names the file."""
    return valid_prompts(each_row(path), path, family)


def responses_of(path: Path, prompts: list[dict]) -> dict:
    """The expert's response to each of the prompts, by key. Raises UserError that names the file and who has none."""
    found = {row["key"]: row["response"] for row in read_jsonl(path, ("key", "response"))}
    refuse_rows(
        [row for row in prompts if row["key"] not in found], len(prompts), f"prompts have no response in {path}"
    )
    return found
