"""Every instruction type that the scorers know: family, category, arguments, what is checked, and whose rule it is."""

import json

import pandas as pd

from uniapl.checkers.families import BY_NAME, FAMILIES, Family

COLUMNS = ["family", "instruction_id", "category", "arguments", "checks", "source"]


def _published(family: Family) -> str:
    return f"{family.source}, as in {family.revision}" if family.revision else family.source


def _source(family: Family, instruction_id: str) -> str:
    """Whose rule it is: the publication and the revision of its code, or ours, for the prompt of these."""
    return "ours, for the prompt of " * (instruction_id in family.fixed) + _published(family)


def types(family: str | None = None) -> pd.DataFrame:
    """A row (see COLUMNS) per type of the family, or of all. `arguments`: what each name must be, in words.

    An id with "~fixed" checks what the prompt says where the published rule does not; its source is this suite.
    """
    rows = [
        {
            "family": member.name,
            "instruction_id": name,
            "category": name.split(":")[0],
            "arguments": {argument: form.expected for argument, form in instruction.arguments.items()},
            "checks": instruction.follows.__doc__.splitlines()[0],
            "source": _source(member, name),
        }
        for member in FAMILIES
        if family in (None, member.name)
        for name, instruction in member.types.items()
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def render(frame: pd.DataFrame, form: str) -> str:
    """The rows as one JSON list, as CSV (arguments as JSON), or as Markdown, a table for each family."""
    if form == "json":
        return json.dumps(frame.to_dict("records"), indent=1)
    if form == "csv":
        return frame.assign(arguments=frame["arguments"].map(json.dumps)).to_csv(index=False).rstrip("\n")
    from uniapl.tables import View, markdown  # they import SciPy, which scoring does not need

    parts = []
    for family, rows in frame.groupby("family", sort=False):
        lines = [
            [
                row.instruction_id,
                "; ".join(f"{name}: {expected}" for name, expected in row.arguments.items()),
                row.checks,
            ]
            for row in rows.itertuples()
        ]
        table = markdown(
            View(f"Source: {_published(BY_NAME[family])}.", ["instruction type", "arguments", "checks"], lines)
        )
        parts.append(f"## {family}: {len(rows)} types\n\n{table}")
    return "\n".join(parts).rstrip("\n")
