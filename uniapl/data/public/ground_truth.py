"""Rows of allenai/IF_multi_constraints_upto5, which asks for up to five of IFEval's and IF-RLVR's 54 types."""

import ast
import json

from uniapl.errors import UserError


def read_ground_truth(text: str, where: str) -> tuple[list[str], list[dict]]:
    """Instruction ids and arguments from the field `ground_truth` of a row of allenai/IF_multi_constraints_upto5.

    The field is what Python writes for [{'instruction_id': [ids], 'kwargs': [a dict or None for each id]}]. It is read
    as a literal, so that nothing in it is run. Raises UserError that names `where`.
    """
    shape = "[{'instruction_id': [...], 'kwargs': [...]}]"
    try:
        value = ast.literal_eval(text) if isinstance(text, str) else None
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
            value = [json.loads(value[0])]  # some copies of the data set have JSON in the list
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise UserError(f"{where}: ground_truth is no literal of the form {shape}") from None
    entry = value[0] if isinstance(value, list) and len(value) == 1 else None
    if not isinstance(entry, dict) or not {"instruction_id", "kwargs"} <= entry.keys():
        raise UserError(f"{where}: ground_truth must have the form {shape}")
    ids, kwargs = entry["instruction_id"], entry["kwargs"]
    if not isinstance(ids, list) or not ids or not all(isinstance(name, str) for name in ids):
        raise UserError(f"{where}: instruction_id in ground_truth must be a list of ids")
    if not isinstance(kwargs, list) or not all(isinstance(x, dict | None) for x in kwargs):
        raise UserError(f"{where}: kwargs in ground_truth must be a list of dictionaries or None")
    if len(ids) != len(kwargs):
        raise UserError(f"{where}: ground_truth has {len(ids)} in instruction_id but {len(kwargs)} in kwargs")
    return ids, [x or {} for x in kwargs]
