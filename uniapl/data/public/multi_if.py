"""facebook/Multi-IF: 4,501 conversations of three turns in eight languages (He et al. 2024, arXiv 2410.15553).

CSV; the fields, the checkers and the scores are those of uniapl/scorers/multi_if.py. CC BY-NC 2.0: not for commercial
use.
"""

import csv
from pathlib import Path

from uniapl.data.conversations import TURNS, read_conversations
from uniapl.data.public.tables import files

ID = "facebook/Multi-IF"
FILE = "multiIF_20241018.csv"
FIELDS = ("prompt", "instruction_id_list", "kwargs")


def first_turns(folder: Path) -> list[dict]:
    """key and prompt of every conversation's first turn, in the file's order: what training prompts are held against.

    Raises UserError that names file, row, key, turn and instruction, for a mistake in any of the turns.
    """
    (path,) = files(folder, FILE)
    return [
        {"key": f"multi_if/{conversation.key}", "prompt": conversation.turns[0].prompt}
        for conversation in read_conversations(path)
    ]


def conversations(folder: Path) -> list[dict]:
    """All turns of every conversation, in the fields of uniapl.scorers.multi_if, under the keys of `first_turns`."""
    (path,) = files(folder, FILE)
    with open(path, encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    names = ["language", *(f"turn_{n}_{field}" for n in TURNS for field in FIELDS)]
    return [{"key": f"multi_if/{row['key']}", **{name: row[name] for name in names}} for row in rows]
