"""Prompts: what a row must hold, for everything that trains on it, answers it or scores it."""

import re
from collections import Counter
from pathlib import Path

from uniapl import checkers
from uniapl.errors import UserError, first_names
from uniapl.jsonl import read_jsonl, whole, writable

PROMPT_FIELDS = {"key": (int, str), "prompt": str}
ROUNDED = re.compile(r"\d(\.\d+)?E\+\d+")  # how a spreadsheet saves a long number


def name_of_row(row: dict) -> str:
    """How a message names a row: by its key, or else by its prompt's first words."""
    if row.get("key") is not None:
        return f"key {row['key']}"
    return f"prompt {' '.join(str(row.get('prompt')).split()[:8])!r}"


def with_key(row: dict, where: str) -> dict:
    """The row with a key of 7.0 as 7. Raises UserError for one that a spreadsheet has rounded."""
    if isinstance(row.get("key"), str) and ROUNDED.fullmatch(row["key"]):
        raise UserError(f"{where}: a spreadsheet has rounded the key {row['key']}: take the keys of the original file")
    return {**row, "key": whole(row["key"])} if isinstance(row.get("key"), float) else row


def refuse_rows(rows: list[dict], total: int, problem: str) -> None:
    """Raise UserError with a count and the first names, unless `rows` is empty."""
    if rows:
        names = list(dict.fromkeys(map(name_of_row, rows)))
        raise UserError(f"{len(rows)} of {total} {problem}: {first_names(names)}")


def valid_prompts(rows: list[dict], where: str | Path, family: str | None = None) -> list[dict]:
    """`rows`, once every one has valid fields and instructions (of `family`, where given) and a key of its own.

    Their instructions are lists, in whatever form of `checkers.read_instructions` the rows had them. Raises UserError
    that names `where` and the row's key or number.
    """
    valid = []
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
        others = {name: value for name, value in row.items() if name != "instructions"}
        valid.append({**others, "instruction_id_list": ids, "kwargs": kwargs})
    if len({type(row["key"]) for row in valid}) > 1:
        raise UserError(f"{where}: keys must be all numbers or all text")
    counts = Counter(row["key"] for row in valid)
    refuse_rows([row for row in valid if counts[row["key"]] > 1], len(valid), f"prompts of {where} share a key")
    return valid


def read_prompts(path: str | Path, family: str | None = None) -> list[dict]:
    """The rows of a prompts file, valid as `valid_prompts` says. Raises UserError that names the file."""
    return valid_prompts(read_jsonl(path), path, family)


def responses_of(path: Path, prompts: list[dict]) -> dict:
    """The expert's response to each of the prompts, by key. Raises UserError that names the file and who has none."""
    found = {row["key"]: row["response"] for row in read_jsonl(path, ("key", "response"))}
    refuse_rows(
        [row for row in prompts if row["key"] not in found], len(prompts), f"prompts have no response in {path}"
    )
    return found
