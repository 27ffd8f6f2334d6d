"""Checkers: whether a response follows an instruction, by the published rules of its family.

    checkers = build_row(row, where="test.jsonl: key 1000")
    all_strict(checkers, response)      # the binary training reward
    check(checkers, response)           # both verdicts of each instruction, for the score

No checker takes quadratic time: a policy in training writes the odd response that is one character repeated.
"""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from uniapl.checkers import families
from uniapl.checkers.arguments import Instruction
from uniapl.checkers.families import INSTRUCTIONS
from uniapl.checkers.row import read_instructions
from uniapl.errors import UserError

__all__ = [
    "INSTRUCTIONS",
    "Checker",
    "Verdicts",
    "all_strict",
    "build",
    "build_all",
    "build_row",
    "check",
    "read_instructions",
    "variants",
]

Checker = Callable[[str], bool]


def _unknown(instruction_id: object, family: str | None) -> str:
    """Why there is no such type (in `family`), in words."""
    if owners := families.owners(instruction_id):
        where_not = f"not to {family}" if family else "which is not named"
        return f" belongs to {' and '.join(owners)}, {where_not}: change --family"
    close = difflib.get_close_matches(str(instruction_id), families.types_in(family), n=1)
    return ": unknown instruction" + (f", did you mean {close[0]!r}?" if close else "")


def _problem(instruction: Instruction, kwargs: Mapping[str, object]) -> str | None:
    """What is wrong with the arguments as a data file gives them, in words; None where nothing is."""
    expected = instruction.arguments
    if missing := expected.keys() - kwargs.keys():
        return f"missing argument {', '.join(sorted(missing))}"
    if unexpected := kwargs.keys() - expected.keys():
        return f"unexpected argument {', '.join(sorted(unexpected))}"
    for name, argument in expected.items():
        if not argument.accepts(kwargs[name]):
            return f"{name} must be {argument.expected}, not {kwargs[name]!r}"
    return instruction.together(kwargs)


def build(instruction_id: str, kwargs: Mapping[str, object], *, where: str = "", family: str | None = None) -> Checker:
    """The checker of one instruction (by the rules of `family`), to be built once and used for every response.

    Arguments that are None are dropped: Hugging Face's copy of IFEval pads every row with them. Raises
    UserError (a ValueError) that names `where` (file and line, or key), the id and the problem.
    """
    here = f"{where + ': ' if where else ''}{instruction_id}"
    types = families.types_in(family)
    if not isinstance(instruction_id, str) or instruction_id not in types:
        raise UserError(f"{here}{_unknown(instruction_id, family)}")
    instruction = types[instruction_id]
    stated = {name: value for name, value in kwargs.items() if value is not None}
    if problem := _problem(instruction, stated):
        raise UserError(f"{here}: {problem}")
    values = {name: argument.read(stated[name]) for name, argument in instruction.arguments.items()}
    return partial(instruction.follows, **values)


def build_all(
    ids: Sequence[str], kwargs: Sequence[Mapping], *, where: str = "", family: str | None = None
) -> tuple[Checker, ...]:
    """The checkers of one prompt, in its order, one for each time that an id occurs. Raises like `build`."""
    if len(ids) != len(kwargs):
        problem = f"{len(ids)} in instruction_id_list but {len(kwargs)} in kwargs"
        raise UserError(f"{where + ': ' if where else ''}{problem}")
    return tuple(build(i, k, where=where, family=family) for i, k in zip(ids, kwargs, strict=True))


def build_row(row: Mapping, *, where: str, family: str | None = None) -> tuple[Checker, ...]:
    """The checkers of a row, as `read_instructions` reads it. Raises like it and like `build`."""
    return build_all(*read_instructions(row, where), where=where, family=family)


def variants(response: str) -> tuple[str, ...]:
    """The texts that the loose rule tries: without the first, the last or both lines, each also without "*".

    The response itself comes first. Equal texts come once, blank ones are left out: they follow nothing.
    """
    lines = response.split("\n")
    cut = ("\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1]))
    parts = (response, *cut)
    return tuple(dict.fromkeys(v for text in parts for v in (text, text.replace("*", "")) if v.strip()))


@dataclass(frozen=True)
class Verdicts:
    """Whether each instruction of a prompt is followed, in the prompt's order. Strict implies loose."""

    strict: tuple[bool, ...]
    loose: tuple[bool, ...]


def check(checkers: Sequence[Checker], response: str) -> Verdicts:
    """Both verdicts on a response; a blank one follows nothing."""
    blank = not response.strip()
    strict = tuple(not blank and follows(response) for follows in checkers)
    others = () if blank or all(strict) else variants(response)[1:]
    loose = tuple(s or any(map(follows, others)) for s, follows in zip(strict, checkers, strict=True))
    return Verdicts(strict, loose)


def all_strict(checkers: Sequence[Checker], response: str) -> bool:
    """The binary reward: the response as it is follows every instruction. Stops at the first that fails."""
    return bool(response.strip()) and all(follows(response) for follows in checkers)
