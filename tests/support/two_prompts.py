"""Two prompts with three types of instruction, responses to them, and the verdicts, derived by hand."""

import json
from pathlib import Path

PROMPTS = [
    {
        "key": 7,
        "prompt": "Write about rain and snow.",
        "instruction_id_list": ["keywords:existence", "punctuation:no_comma", "keywords:existence"],
        "kwargs": [{"keywords": ["rain"]}, {}, {"keywords": ["snow"]}],
    },
    {
        "key": 3,
        "prompt": "Quote something.",
        "instruction_id_list": ["startend:quotation"],
        "kwargs": [{"keywords": None}],
    },
]
RESPONSES = [  # in another order than the prompts
    {"key": 3, "prompt": "Quote something.", "response": 'Here it is:\n"To be"'},
    {"key": 7, "prompt": "Write about rain and snow.", "response": "It is rain."},
]
EXPECTED = [
    (7, 0, "keywords:existence", 1, 1),
    (7, 1, "punctuation:no_comma", 1, 1),
    (7, 2, "keywords:existence", 0, 0),
    (3, 0, "startend:quotation", 0, 1),
]


def write(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
