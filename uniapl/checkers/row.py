"""The one reader of a row's instructions, for everything that scores, rewards or trains on it.

A row has `instruction_id_list` and `kwargs`, as in IFEval's files, or `instructions`, the JSON of both. Each field, and
each entry of `kwargs`, may be JSON text, as in Multi-IF's file and in data sets of one type per column. A number that a
table made 3.0 is 3, and its NaN is None.
"""

import json
from collections.abc import Mapping

from uniapl.errors import UserError
from uniapl.jsonl import whole

FIELDS = ("instruction_id_list", "kwargs", "instructions")


def _decode(value: object, name: str, where: str) -> object:
    """JSON text as the value that it holds; anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise UserError(f"{where}: {name} is text that is no JSON: {value!r:.60}") from None


def _ids_and_kwargs(row: Mapping, where: str) -> tuple[object, object]:
    ids, kwargs, pair = map(row.get, FIELDS)
    if pair is None:
        return ids, kwargs
    if ids is not None:
        raise UserError(f"{where}: has instruction_id_list and instructions: keep one of them")
    pair = _decode(pair, "instructions", where)
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise UserError(f"{where}: instructions must be the JSON of [instruction_id_list, kwargs]")
    return pair[0], pair[1]


def read_instructions(row: Mapping, where: str) -> tuple[list[str], list[dict]]:
    """The ids of a row's instructions, and the arguments of each; `{}` where there are none, or None stands for them.

    Raises UserError as `where: problem`: no instruction, not as many arguments as instructions, a wrong form. Whether
    an id is known and its arguments are possible is `checkers.build`'s to say.
    """
    ids, kwargs = _ids_and_kwargs(row, where)
    ids = _decode(ids, "instruction_id_list", where)
    if not isinstance(ids, list | tuple) or not all(isinstance(instruction_id, str) for instruction_id in ids):
        raise UserError(f"{where}: instruction_id_list is missing or no list of ids")
    if not ids:
        raise UserError(f"{where}: needs at least one instruction in instruction_id_list")
    kwargs = _decode(kwargs, "kwargs", where)
    if kwargs is None:
        return list(ids), [{} for _ in ids]
    if not isinstance(kwargs, list | tuple):
        raise UserError(f"{where}: kwargs is no list with an object for each instruction")
    if len(ids) != len(kwargs):
        raise UserError(f"{where}: {len(ids)} in instruction_id_list but {len(kwargs)} in kwargs")
    decoded = [_decode(arguments, "kwargs", where) for arguments in kwargs]
    if not all(isinstance(arguments, Mapping | None) for arguments in decoded):
        raise UserError(f"{where}: needs in kwargs an object of arguments for each instruction, or None")
    return list(ids), [{name: whole(value) for name, value in (arguments or {}).items()} for arguments in decoded]
