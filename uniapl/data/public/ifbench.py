"""allenai/IFBench_test: 300 prompts with 58 instruction types (Pyatkin et al. 2025, arXiv 2507.02833).

Parquet: key (text), prompt, instruction_id_list (texts), kwargs (an object per instruction, padded with nulls).
"""

from pathlib import Path

from uniapl.data.prompts import valid_prompts
from uniapl.data.public import BENCHMARKS
from uniapl.data.public.tables import KEY, OBJECTS, TEXT, TEXTS, as_row, files, read_parquet, without_padding

ID = "allenai/IFBench_test"
COLUMNS = {"key": KEY, "prompt": TEXT, "instruction_id_list": TEXTS, "kwargs": OBJECTS}


def read(folder: Path) -> list[dict]:
    """The prompts in the file's order. Raises UserError that names file, row, key and instruction."""
    prompts = []
    for path in files(folder, "data/train-*.parquet"):
        rows = [
            {**row, "kwargs": [without_padding(k or {}) for k in row["kwargs"] or []]}
            for row in read_parquet(path, COLUMNS)
        ]
        prompts += [as_row("ifbench", row, BENCHMARKS["ifbench"]) for row in valid_prompts(rows, path, "ifbench")]
    return prompts
