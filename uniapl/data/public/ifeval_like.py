"""argilla/ifeval-like-data, configuration `filtered`: 56.3k prompts of IFEval's types with a response by Qwen2.5-72B.

Parquet: key (a number), prompt, response, instruction_id_list (texts), kwargs (JSON text of an object per instruction,
or such objects). The licence is that of Qwen2.5-72B-Instruct.
"""

import json
from pathlib import Path

from uniapl.data.public.tables import (
    KEY,
    TEXT,
    TEXT_OR_OBJECTS,
    TEXTS,
    LeftOut,
    Pool,
    as_row,
    check_instructions,
    files,
    pool,
    without_padding,
)

ID = "argilla/ifeval-like-data"
COLUMNS = {"key": KEY, "prompt": TEXT, "response": TEXT, "instruction_id_list": TEXTS, "kwargs": TEXT_OR_OBJECTS}


def read_row(row: dict, where: str) -> dict:
    """A published row in the suite's form, with its `response`. Raises LeftOut."""
    ids, kwargs = row["instruction_id_list"] or [], row["kwargs"]
    try:
        kwargs = json.loads(kwargs) if isinstance(kwargs, str) else kwargs
    except (ValueError, RecursionError):
        raise LeftOut("kwargs not in the published form", f"{where}: kwargs is no JSON") from None
    kwargs = [arguments or {} for arguments in kwargs] if isinstance(kwargs, list) else []
    if not ids or len(ids) != len(kwargs) or not all(isinstance(arguments, dict) for arguments in kwargs):
        message = f"{where}: kwargs must be a list of objects, one for each of {len(ids)} instructions"
        raise LeftOut("kwargs not in the published form", message)
    if not all((row[name] or "").strip() for name in ("prompt", "response")):
        raise LeftOut("no prompt or no response", f"{where}: prompt and response must be texts that are not blank")
    kwargs = [without_padding(arguments) for arguments in kwargs]
    check_instructions(ids, kwargs, where)
    return as_row("ifeval_like", row | {"kwargs": kwargs}, "trained") | {"response": row["response"]}


def read(folder: Path) -> Pool:
    """The usable rows in the files' order, whether or not their response follows the instructions. Raises UserError
    for a table that is not in the published form."""
    return pool(files(folder, "filtered/train-*.parquet"), COLUMNS, read_row)
