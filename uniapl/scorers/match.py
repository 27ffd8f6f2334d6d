"""Which response answers which prompt, of any number: they lie in a temporary database of SQLite, not in memory.

    with Pairs(each_valid(rows, path), path) as pairs:
        pairs.answer(each_response(responses))      # UserError unless every prompt has exactly one response
        for asked, response in pairs: ...           # in the order of the prompts

SQLite keeps a small database in memory, and a larger one in a file without a name, which is gone when the process ends,
however it ends. The file is in SQLITE_TMPDIR or TMPDIR, or else in /var/tmp or /tmp.
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Self

from uniapl import checkers
from uniapl.data.prompts import SHARED, name_of_row, refuse_rows
from uniapl.errors import UserError

TABLES = """
    PRAGMA cache_size = -65536;  -- KiB of the database that may be in memory: 64 MiB
    PRAGMA journal_mode = OFF;
    CREATE TABLE prompts (number INTEGER PRIMARY KEY, key BLOB, prompt BLOB, asked TEXT);
    CREATE TABLE responses (number INTEGER PRIMARY KEY, key BLOB, prompt BLOB, response BLOB);
"""
# Each gives key and prompt of the rows that something is wrong with, in their order; {by} is key or prompt.
NAMELESS = "SELECT key, prompt FROM {table} WHERE {by} IS NULL ORDER BY number"
REPEATED = """
    SELECT key, prompt FROM {table}
    WHERE {by} IN (SELECT {by} FROM {table} GROUP BY {by} HAVING count(*) > 1) ORDER BY number
"""
ALONE = "SELECT key, prompt FROM {table} AS here WHERE NOT EXISTS (SELECT 1 FROM {other} WHERE {by} = here.{by}) {near}"
NEAR_TO_ALONE = """
    AND near({by}) IN (
        SELECT near({by}) FROM {other} AS there WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE {by} = there.{by})
    )
"""
JOINED = "FROM prompts CROSS JOIN responses ON responses.{by} = prompts.{by}"  # cross: prompts outside, in their order
CHANGED = f"SELECT prompts.key, prompts.prompt {JOINED} WHERE responses.prompt <> prompts.prompt {{near}}"
NEAR_TO_CHANGED = "AND near(responses.prompt) = near(prompts.prompt)"
IN_ORDER = f"SELECT asked, response {JOINED} ORDER BY prompts.number"


class Asked(NamedTuple):
    """What the score needs of a prompt; `key` is the number or the text that its row has."""

    key: int | str | None
    benchmark: str | None
    ids: list[str]
    kwargs: list[dict]


def encoded(value: object) -> bytes | None:
    """A key or a text as bytes; 7 and "7" have the same. Half a surrogate pair, which JSON can hold, has some too."""
    return None if value is None else str(value).encode("utf-8", "surrogatepass")


def decoded(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "surrogatepass")


def near(text: bytes) -> bytes:
    """What two texts share that differ by blanks at their ends, or as 7 and 7.0 do."""
    return encoded(decoded(text).strip().removesuffix(".0"))


@contextlib.contextmanager
def room() -> Iterator[None]:
    """A database that cannot grow is a UserError."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise UserError(f"temporary folder: {error}: set TMPDIR to a folder that has more room") from error


class Pairs:
    """Prompts, and the response to each. A context, whose end frees the room that they take.

    Raises UserError where two prompts of `where` share a key, for instructions of a wrong form, and where the temporary
    folder has too little room.
    """

    def __init__(self, prompts: Iterable[Mapping], where: str | Path = "prompts") -> None:
        self.benchmarks = False  # whether a prompt names one
        self._base = sqlite3.connect("", isolation_level=None)
        self._base.create_function("near", 1, near, deterministic=True)
        self._base.executescript(TABLES)
        self._by, self._where = "key", ""
        with room():
            self._insert("INSERT INTO prompts (key, prompt, asked) VALUES (?, ?, ?)", map(self._of_prompt, prompts))
            self._base.execute("CREATE INDEX prompts_key ON prompts (key)")
        self._refuse("prompts", SHARED.format(where), REPEATED)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self._base.close()

    def __len__(self) -> int:
        return self._count("prompts")

    def __iter__(self) -> Iterator[tuple[Asked, str]]:
        """Each prompt and its response, in the order of the prompts, once `answer` has taken the responses."""
        for asked, response in self._select(IN_ORDER):
            yield Asked(*json.loads(asked)), decoded(response)

    def answer(self, responses: Iterable[Mapping], where: str | Path = "") -> None:
        """Take the responses, in any order, in the place of earlier ones; messages begin with `where`.

        They are joined by key where every row of both has one, otherwise by the prompt's exact text. Keys are compared
        as text, so that 7 and "7" are one. Raises UserError where a prompt has no response or several, where a response
        answers no prompt, and where the text that was answered under a key is not that prompt's: prompts change between
        releases of IFEval while keys stay.
        """
        self._where = f"{where}: " if where else ""
        with room():
            self._base.executescript("DROP INDEX IF EXISTS responses_by; DELETE FROM responses")
            rows = (tuple(encoded(row.get(name)) for name in ("key", "prompt", "response")) for row in responses)
            self._insert("INSERT INTO responses (key, prompt, response) VALUES (?, ?, ?)", rows)
            keys = all(self._first(NAMELESS, table=table, by="key") is None for table in ("prompts", "responses"))
            self._by = by = "key" if keys else "prompt"
            self._refuse("responses", f"responses have no {by}", NAMELESS)
            self._base.execute(f"CREATE INDEX IF NOT EXISTS prompts_{by} ON prompts ({by})")
            self._base.execute(f"CREATE INDEX responses_by ON responses ({by})")
        for table in ("prompts", "responses"):
            self._refuse(table, f"{table} have the same {by} as another", REPEATED)
        stray = self._first(ALONE, table="responses", other="prompts")
        named = (
            f"; a response has the {by} {decoded(stray[by == 'prompt'])!r:.60}, which no prompt has" if stray else ""
        )
        self._refuse(
            "prompts",
            f"prompts have no response (joined by {by}; answer them, or score a prompts file without them{named})",
            ALONE,
            f"prompts have a response whose {by} differs by blanks at its ends alone: make them one",
            NEAR_TO_ALONE,
            other="responses",
        )
        self._refuse("responses", f"responses answer no prompt (joined by {by})", ALONE, other="prompts")
        self._refuse(
            "prompts",
            "prompts are not the text that was answered under their key",
            CHANGED,
            "prompts differ from the text that was answered by blanks at their ends: make them one",
            NEAR_TO_CHANGED,
        )

    def _of_prompt(self, row: Mapping) -> tuple:
        """The columns of a prompt."""
        self.benchmarks = self.benchmarks or "benchmark" in row
        ids, kwargs = checkers.read_instructions(row, name_of_row(row))
        asked = json.dumps(Asked(row.get("key"), row.get("benchmark"), ids, kwargs))
        return encoded(row.get("key")), encoded(row["prompt"]), asked

    def _insert(self, statement: str, rows: Iterable[tuple]) -> None:
        self._base.execute("BEGIN")  # one commit for all: each one looks at every page that is not on the disk
        try:
            self._base.executemany(statement, rows)
        finally:
            if self._base.in_transaction:  # SQLite has ended it where there was no room
                self._base.execute("COMMIT")

    def _select(self, query: str, **names: str) -> Iterator[tuple]:
        with room():
            yield from self._base.execute(query.format(**{"by": self._by, "near": "", **names}))

    def _first(self, query: str, **names: str) -> tuple | None:
        return next(self._select(query, **names), None)

    def _count(self, table: str) -> int:
        return self._first("SELECT count(*) FROM {table}", table=table)[0]

    def _refuse(self, table: str, problem: str, query: str, closer: str = "", only: str = "", **names: str) -> None:
        """Raise UserError where the query finds rows; in the words of `closer` where some meet the condition `only`."""
        names["table"] = table
        if self._first(query, **names) is None:
            return
        for words, condition in ((closer, only), (problem, "")) if closer else ((problem, ""),):
            rows = self._select(query, near=condition.format(by=self._by, **names), **names)
            found = ({"key": decoded(key), "prompt": decoded(prompt)} for key, prompt in rows)
            refuse_rows(found, self._count(table), words, self._where)
