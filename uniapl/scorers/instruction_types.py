"""Every instruction type that the scorers know: family, category, arguments, what is checked, and whose rule it is."""

import json

import pandas as pd

from uniapl.checkers import ifbench, ifeval, iftrain
from uniapl.checkers.arguments import Instruction
from uniapl.scorers import multi_if
from uniapl.tables import View, markdown

COLUMNS = ["family", "instruction_id", "category", "arguments", "checks", "source"]
SOURCES = {
    "ifeval": "Zhou et al. 2023 (arXiv 2311.07911), as in lm-eval 0.4.13",
    "ifbench": "Pyatkin et al. 2025 (arXiv 2507.02833), allenai/IFBench at db69a6f",
    "iftrain": "Pyatkin et al. 2025 (arXiv 2507.02833), allenai/open-instruct (IFEvalG)",
    "multi_if": "He et al. 2024 (arXiv 2410.15553), facebookresearch/Multi-IF",
}
FAMILIES = {
    "ifeval": ifeval.INSTRUCTIONS,
    "ifbench": ifbench.INSTRUCTIONS | ifbench.FIXED,
    "iftrain": iftrain.INSTRUCTIONS | iftrain.FIXED,
    "multi_if": ifeval.INSTRUCTIONS | {name: ifeval.INSTRUCTIONS[name.split("~")[0]] for name in multi_if.FIXED},
}


def _checks(family: str, name: str, instruction: Instruction) -> str:
    """The first sentence about the checker: its docstring's first line."""
    changed = {**multi_if.CHANGED, **multi_if.FIXED} if family == "multi_if" else {}
    return changed.get(name, instruction.follows).__doc__.splitlines()[0]


def types(family: str | None = None) -> pd.DataFrame:
    """A row (see COLUMNS) per type of the family, or of all. `arguments`: what each name must be, in words.

    An id with "~fixed" checks what the prompt says where the published rule does not; its source is this suite.
    """
    rows = [
        {
            "family": of,
            "instruction_id": name,
            "category": name.split(":")[0],
            "arguments": {argument: kind.expected for argument, kind in instruction.arguments.items()},
            "checks": _checks(of, name, instruction),
            "source": "ours, for the prompt of " + SOURCES[of] if name.endswith("~fixed") else SOURCES[of],
        }
        for of, instructions in FAMILIES.items()
        if family in (None, of)
        for name, instruction in instructions.items()
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def render(found: pd.DataFrame, form: str) -> str:
    """The rows as one JSON list, as CSV (arguments as JSON), or as Markdown, a table for each family."""
    if form == "json":
        return json.dumps(found.to_dict("records"), indent=1)
    if form == "csv":
        return found.assign(arguments=found["arguments"].map(json.dumps)).to_csv(index=False).rstrip("\n")
    parts = []
    for family, rows in found.groupby("family", sort=False):
        lines = [
            [row.instruction_id, "; ".join(f"{name}: {kind}" for name, kind in row.arguments.items()), row.checks]
            for row in rows.itertuples()
        ]
        table = markdown(View(f"Source: {SOURCES[family]}.", ["instruction type", "arguments", "checks"], lines))
        parts.append(f"## {family}: {len(rows)} types\n\n{table}")
    return "\n".join(parts).rstrip("\n")
