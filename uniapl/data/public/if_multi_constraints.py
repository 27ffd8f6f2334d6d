"""allenai/IF_multi_constraints_upto5: 95,373 training prompts with one to five of 54 instruction types, no responses.

Parquet: key, messages (one of the user), ground_truth (a Python literal, see uniapl/data/public/ground_truth.py), and
dataset, constraint_type, constraint, which are not read. ODC-BY; Pyatkin et al. 2025 (arXiv 2507.02833).
"""

from pathlib import Path

from uniapl.data.public.ground_truth import read_ground_truth
from uniapl.data.public.tables import (
    MESSAGES,
    TEXT,
    LeftOut,
    Pool,
    as_row,
    check_instructions,
    files,
    pool,
    without_padding,
)
from uniapl.errors import UserError

ID = "allenai/IF_multi_constraints_upto5"
COLUMNS = {"key": TEXT, "messages": MESSAGES, "ground_truth": TEXT}


def read_row(row: dict, where: str) -> dict:
    """A published row in the suite's form. Raises LeftOut."""
    messages = row["messages"] or []
    if [message["role"] for message in messages] != ["user"] or not (messages[0]["content"] or "").strip():
        raise LeftOut("not one message of the user", f"{where}: messages must be one of the user, with a text")
    try:
        ids, kwargs = read_ground_truth(row["ground_truth"], where)
    except UserError as error:
        raise LeftOut("ground_truth not in the published form", str(error)) from None
    kwargs = [without_padding(arguments) for arguments in kwargs]
    check_instructions(ids, kwargs, where)
    prompt = {"key": row["key"], "prompt": messages[0]["content"], "instruction_id_list": ids, "kwargs": kwargs}
    return as_row("if_multi_constraints", prompt, "trained")


def read(folder: Path) -> Pool:
    """The usable prompts in the files' order. Raises UserError for a table that is not in the published form."""
    return pool(files(folder, "data/train-*.parquet"), COLUMNS, read_row)
