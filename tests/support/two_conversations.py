"""Two conversations of Multi-IF in the published form, and responses to every turn."""

import csv
import json

from uniapl.data import conversations

SENTENCES, WORDS = "length_constraints:number_sentences", "length_constraints:number_words"
NO_COMMA, QUOTATION = "punctuation:no_comma", "startend:quotation"


def row(key: str, *turns: list, language: str = "English") -> dict:
    """A row of the file: every field is text, and arguments are JSON within JSON. A turn is a list of (id, kwargs)."""
    found = {"turns": "", "responses": "", "key": key, "turn_index": "0", "language": language}
    for number in conversations.TURNS:
        one = turns[number - 1] if number <= len(turns) else None
        found |= {
            f"turn_{number}_prompt": one and json.dumps({"role": "user", "content": f"say {number}, é"}),
            f"turn_{number}_instruction_id_list": one and json.dumps([name for name, _ in one]),
            f"turn_{number}_kwargs": one and json.dumps([json.dumps(kwargs) for _, kwargs in one]),
        }
    return {name: value or "" for name, value in found.items()}


FIRST = [(NO_COMMA, {})]
SECOND = [*FIRST, (QUOTATION, {})]
THIRD = [*SECOND, (WORDS, {"num_words": 3, "relation": "at least"})]
ROWS = [row("1:1:en", FIRST, SECOND, THIRD), row("2:1:fr", FIRST, SECOND, language="French")]


def write_csv(path, rows):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


RESPONSES = [
    {"key": "2:1:fr", "turn": 2, "response": '"b"'},
    {"key": "1:1:en", "turn": 3, "response": "Sure:\n“one two three”"},
    {"key": "1:1:en", "turn": 1, "response": "one"},
    {"key": "2:1:fr", "turn": 1, "response": "a"},
    {"key": "1:1:en", "turn": 2, "response": '"a, b"'},
]
