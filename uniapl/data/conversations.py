"""Multi-IF's conversations (He et al. 2024, arXiv 2410.15553): three turns, each with all instructions so far.

The published file (facebook/Multi-IF, 4,501 conversations, CC BY-NC 2.0) has one conversation per row: key, language
and, for turns 1 to 3, turn_N_prompt (JSON of a message), turn_N_instruction_id_list (JSON of IFEval's ids, those of
the earlier turns first) and turn_N_kwargs (JSON of a list of JSON texts). It holds the languages of `LANGUAGES` but
German and Vietnamese, which facebookresearch/Multi-IF names too and checks as it does English.
"""

import csv
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from uniapl import checkers
from uniapl.checkers import Checker
from uniapl.config.suites import TURNS
from uniapl.data.prompts import with_key
from uniapl.errors import UserError
from uniapl.jsonl import read_jsonl, writable

LANGUAGES = (
    "English",
    "Chinese",
    "French",
    "German",
    "Hindi",
    "Italian",
    "Portuguese",
    "Russian",
    "Spanish",
    "Vietnamese",
)
LONGEST_CELL = 32_767  # characters that a cell of a spreadsheet holds


@dataclass(frozen=True)
class Turn:
    """What the user says at one turn, and every instruction that the response to it must follow."""

    prompt: str
    instruction_id_list: tuple[str, ...]
    kwargs: tuple[Mapping, ...]

    def checkers(self, where: str = "") -> tuple[Checker, ...]:
        """One checker for each instruction."""
        return checkers.build_all(self.instruction_id_list, self.kwargs, where=where, family="multi_if")


@dataclass(frozen=True)
class Conversation:
    """A row of the file: its key, its language and up to three turns."""

    key: str
    language: str
    turns: tuple[Turn, ...]


def _absent(prompt: object) -> bool:
    return prompt is None or prompt in ("", "None")


def _prompt(message: object, where: str) -> str:
    """The text of a message, which is JSON text in the published file. Raises UserError where it has none."""
    try:
        content = (json.loads(message) if isinstance(message, str) else message)["content"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UserError(f"{where}: not in the form of Multi-IF's file: {error!r}") from None
    if not isinstance(content, str):
        raise UserError(f"{where}: the prompt must be text, not {content!r:.40}")
    return content


def _turn(row: Mapping, number: int, where: str) -> Turn:
    """Turn `number` of a row. Raises UserError where a field is not in the published form."""
    prompt = _prompt(row[f"turn_{number}_prompt"], where)
    fields = {name: row.get(f"turn_{number}_{name}") for name in ("instruction_id_list", "kwargs")}
    ids, kwargs = checkers.read_instructions(fields, where)
    turn = Turn(prompt, tuple(ids), tuple(kwargs))
    turn.checkers(where)
    return turn


def read_row(row: Mapping, where: str) -> Conversation:
    """The conversation of a row; a turn without prompt ends it.

    Raises UserError that names `where`, the turn and the instruction, for a language that is not of `LANGUAGES` too.
    """
    row = with_key(row, where)
    for field in ("key", "language"):
        if not isinstance(row.get(field), str | int) or not str(row[field]):
            raise UserError(f"{where}: {field} is missing")
        if not writable(str(row[field])):
            raise UserError(f"{where}: {field} {row[field]!r} has half a surrogate pair, which no table can hold")
    if row["language"] not in LANGUAGES:
        raise UserError(f"{where}: no rules for {row['language']!r}: choose languages among {', '.join(LANGUAGES)}")
    here = [number for number in TURNS if not _absent(row.get(f"turn_{number}_prompt"))]
    if not here or here != list(TURNS[: len(here)]):
        raise UserError(f"{where}: has a prompt for the turns {here}, which must begin with 1 and leave none out")
    turns = tuple(_turn(row, number, f"{where}, turn {number}") for number in here)
    return Conversation(str(row["key"]), row["language"], turns)


def _csv_rows(path: Path) -> list[dict]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as lines:
            read = csv.DictReader(lines)
            rows = [(read.line_num, row) for row in read]
    except UnicodeDecodeError:
        raise UserError(f"{path}: not UTF-8: save it as CSV in UTF-8") from None
    except (OSError, csv.Error) as error:
        raise UserError(f"{path}: {error}") from error
    if not rows:
        raise UserError(f"{path}: holds no rows")
    names = read.fieldnames or []
    if absent := [name for name in ("key", "language", "turn_1_prompt") if name not in names]:
        raise UserError(
            f"{path}:1: no column {', '.join(absent)}: columns are parted by commas, and named as published"
        )
    for line, row in rows:
        if cut := [name for name, value in row.items() if isinstance(value, str) and len(value) == LONGEST_CELL]:
            raise UserError(
                f"{path}:{line}: a spreadsheet has cut {cut[0]} at {LONGEST_CELL} characters: take the original"
            )
    return [row for _, row in rows]


def read_conversations(path: str | Path, languages: Collection[str] | None = None) -> list[Conversation]:
    """The conversations of a CSV or JSON Lines file in the published form, in its order, of `languages` or all.

    Raises UserError that names the file, the row and its key; unless a language is left out, it must be of `LANGUAGES`.
    """
    path = Path(path)
    rows = _csv_rows(path) if path.suffix == ".csv" else read_jsonl(path)
    conversations = [
        read_row(row, f"{path}: row {number}, key {row.get('key')}")
        for number, row in enumerate(rows, start=1)
        if languages is None or row.get("language") in languages
    ]
    if not conversations:
        raise UserError(f"{path}: has no conversation in {', '.join(languages or ())}")
    counts = Counter(conversation.key for conversation in conversations)
    if repeated := [key for key, n in counts.items() if n > 1]:
        raise UserError(f"{len(repeated)} keys of {path} are there twice: {', '.join(map(str, repeated[:3]))}")
    return conversations


def messages(conversation: Conversation, responses: Sequence[str]) -> list[dict]:
    """The chat that asks for the response after these: what the user said so far, and the model's own answers."""
    questions = [{"role": "user", "content": turn.prompt} for turn in conversation.turns[: len(responses) + 1]]
    answers = [{"role": "assistant", "content": response} for response in responses]
    if len(questions) <= len(responses):
        raise UserError(f"key {conversation.key}: has {len(questions)} turns, no turn {len(responses) + 1}")
    return [message for pair in zip(questions, answers, strict=False) for message in pair] + questions[-1:]
