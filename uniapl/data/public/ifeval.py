"""google/IFEval: 541 prompts with 25 instruction types (Zhou et al. 2023, arXiv 2311.07911).

JSON Lines: key (a number), prompt, instruction_id_list, kwargs (an object per instruction).
"""

from pathlib import Path

from uniapl.data.prompts import valid_prompts
from uniapl.data.public import BENCHMARKS
from uniapl.data.public.tables import as_row, files, without_padding
from uniapl.jsonl import read_jsonl

ID = "google/IFEval"


def read(folder: Path) -> list[dict]:
    """The prompts in the file's order. Raises UserError that names file, row, key and instruction."""
    (path,) = files(folder, "ifeval_input_data.jsonl")
    rows = [
        {**row, "kwargs": [without_padding(k) if isinstance(k, dict) else k for k in row["kwargs"]]}
        if isinstance(row.get("kwargs"), list)
        else row
        for row in read_jsonl(path)
    ]
    return [as_row("ifeval", row, BENCHMARKS["ifeval"]) for row in valid_prompts(rows, path, "ifeval")]
