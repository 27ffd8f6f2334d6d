"""Files that only grow, and the tokens that are spent.

A row is written whole or not at all, so a killed run or a full disk costs the rows that were under way and no other.
"""

import json
import os
from pathlib import Path

from uniapl.errors import UserError
from uniapl.jsonl import read_jsonl
from uniapl.locks import lock
from uniapl.provenance import checksums


class Journal:
    """A JSON Lines file that rows are appended to, by one process at a time. `rows` are those it began with.

    What a killed process left of its last row is cut off. Raises UserError where another process writes the file, and
    where a row does not fit on the disk.
    """

    def __init__(self, path: Path):
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        except OSError as error:
            raise UserError(f"{path}: cannot be written: {error.strerror}") from error
        if not lock(self._file, path, "let no second process write it, nothing would keep it out"):
            os.close(self._file)
            raise UserError(f"{path}: another process writes this file: wait for it, or name another --out")
        whole = path.read_bytes().rfind(b"\n") + 1
        os.ftruncate(self._file, whole)
        self._size = whole
        self.rows = read_jsonl(path) if whole else []
        self._path = path

    def append(self, row: dict) -> None:
        """Add a row. It is in the hands of the operating system when this returns, so no kill loses it."""
        checksums.forget(self._path)  # it grows
        line = (json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8", "replace")
        try:
            if os.write(self._file, line) != len(line):
                raise OSError("no space left for the whole row")
        except OSError as error:
            os.ftruncate(self._file, self._size)
            raise UserError(f"{self.path}: {error.strerror or error}: make room and run again, it continues") from error
        self._size += len(line)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_) -> None:
        os.close(self._file)


class BudgetSpent(UserError):
    """The next request could exceed the token budget."""


class Meter:
    """The tokens of a file of answers, against a budget that is never exceeded, over all runs that wrote it.

    Before a request the most that it can take is reserved; afterwards what it took is charged. A reservation that was
    never settled, because the process was killed, counts in full: nobody can say what was paid.
    """

    def __init__(self, journal: Journal, budget: int):
        self._journal, self.budget = journal, budget
        cost = {row["id"]: row["reserved"] for row in journal.rows if "reserved" in row}
        self._next = max(cost, default=-1) + 1
        cost |= {row["id"]: row["charged"] for row in journal.rows if "charged" in row}
        self.spent = sum(cost.values())
        self._open: dict[int, int] = {}

    @property
    def reserved(self) -> int:
        """Tokens that requests under way can take at most."""
        return sum(self._open.values())

    def has_room(self, tokens: int) -> bool:
        """Whether `tokens` more fit, even if all that is under way takes its most."""
        return self.spent + self.reserved + tokens <= self.budget

    def reserve(self, tokens: int) -> int:
        """A ticket for a request of at most `tokens` tokens. Raises BudgetSpent where the budget has no room for it."""
        if not self.has_room(tokens):
            raise BudgetSpent(
                f"the token budget of {self.budget:,} is used up: {self.spent:,} are spent and the next request may "
                f"take {tokens:,}: run again with a larger --token-budget, it continues"
            )
        ticket, self._next = self._next, self._next + 1
        self._journal.append({"id": ticket, "reserved": tokens})
        self._open[ticket] = tokens
        return ticket

    def settle(self, ticket: int, tokens: int | None, detail: str = "") -> None:
        """Charge what a request took, its whole reservation where that is None; `detail` says why it failed."""
        charged = self._open[ticket] if tokens is None else tokens
        self._journal.append({"id": ticket, "charged": charged} | ({"detail": detail} if detail else {}))
        del self._open[ticket]
        self.spent += charged
