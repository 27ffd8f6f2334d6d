"""Responses to Multi-IF's conversations: joined with them, and each turn scored by all instructions so far.

    conversations = read_conversations("multiIF_20241018.csv")          # uniapl/data/conversations.py
    frame = score(conversations, join(conversations, read_jsonl("responses.jsonl")))
    uniapl.scorers.summary(frame)                                       # by turn, and by conversation

The rules are the family `multi_if` (uniapl/checkers/multi_if.py): IFEval's, by the language of the response.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import pandas as pd

from uniapl import checkers
from uniapl.data.conversations import Conversation
from uniapl.errors import UserError, first_names
from uniapl.jsonl import whole


def _refuse(names: Sequence, problem: str) -> None:
    """Raise UserError with a count and the first names, unless there are none."""
    if names:
        raise UserError(f"{len(names)} {problem}: {first_names(names)}")


def join(conversations: Sequence[Conversation], rows: Sequence[Mapping]) -> dict[str, tuple[str, ...]]:
    """The responses to each conversation by its key, in the order of its turns.

    A row has key, turn (from 1) and response. Raises UserError unless every turn has exactly one.
    """
    rows = [{**row, "turn": whole(row.get("turn"))} for row in rows]
    for field, expected in (("key", (str, int)), ("turn", int), ("response", str)):
        bad = [number for number, row in enumerate(rows, start=1) if not isinstance(row.get(field), expected)]
        _refuse(bad, f"responses have a wrong {field}, or none, in the rows")
    turns = [(chat.key, number) for chat in conversations for number in range(1, len(chat.turns) + 1)]
    answers = {(str(row["key"]), row["turn"]): row["response"] for row in rows}
    counts = Counter((str(row["key"]), row["turn"]) for row in rows)
    for problem, names in (
        ("turns have several responses", [name for name, n in counts.items() if n > 1]),
        ("turns have no response", [name for name in turns if name not in answers]),
        ("responses answer no turn", [name for name in answers if name not in set(turns)]),
    ):
        _refuse([f"key {key}, turn {turn}" for key, turn in names], problem)
    return {chat.key: tuple(answers[chat.key, n] for n in range(1, len(chat.turns) + 1)) for chat in conversations}


def score(
    conversations: Sequence[Conversation],
    responses: Mapping[str, Sequence[str]],
    *,
    watch: Callable[[Sequence], Iterable] = iter,
) -> pd.DataFrame:
    """One row per turn and instruction: key, language, turn, index, instruction_id, strict, loose (1 is followed).

    `watch` sees the conversations go by, as a progress bar does.
    """
    rows = []
    for chat in watch(conversations):
        for number, (turn, response) in enumerate(zip(chat.turns, responses[chat.key], strict=True), start=1):
            verdicts = checkers.check(turn.checkers(f"key {chat.key}, turn {number}"), response)
            followed = zip(turn.instruction_id_list, verdicts.strict, verdicts.loose, strict=True)
            rows += [
                (chat.key, chat.language, number, i, name, int(s), int(lo)) for i, (name, s, lo) in enumerate(followed)
            ]
    return pd.DataFrame(rows, columns=["key", "language", "turn", "index", "instruction_id", "strict", "loose"])
