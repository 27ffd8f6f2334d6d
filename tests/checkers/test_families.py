"""The families: one tuple, no id twice, and everything that lists types derives from it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from uniapl import checkers
from uniapl.checkers import arguments, families, ifeval
from uniapl.checkers.arguments import Argument, Instruction
from uniapl.errors import UserError
from uniapl.scorers import instruction_types

NO_COMMA = "punctuation:no_comma"
COLOURS = Argument("a colour", lambda value: value in ("red", "blue"), str)


def _has_colour(text: str, colour: str) -> bool:
    """The colour occurs."""
    return colour in text


COLOURED = families.Family(
    name="colours",
    instructions={"colours:colour": Instruction(_has_colour, {"colour": COLOURS})},
    fixed={"colours:colour~fixed": Instruction(_has_colour, {"colour": COLOURS})},
    source="a test",
    revision="nowhere@1",
)


@pytest.fixture
def with_colours(monkeypatch):
    """A fifth family, with a kind of argument of its own."""
    every = (*families.FAMILIES, COLOURED)
    monkeypatch.setattr(families, "FAMILIES", every)
    monkeypatch.setattr(instruction_types, "FAMILIES", every)
    monkeypatch.setitem(families.BY_NAME, "colours", COLOURED)
    for name, instruction in COLOURED.types.items():
        monkeypatch.setitem(families.INSTRUCTIONS, name, instruction)


def test_an_id_in_two_families_is_refused_with_both_names():
    twice = replace(COLOURED, instructions={NO_COMMA: ifeval.INSTRUCTIONS[NO_COMMA]})
    with pytest.raises(UserError, match=f"{NO_COMMA} is in the families ifeval and colours: rename it"):
        families.types_of((*families.FAMILIES, twice))
    fixed = replace(COLOURED, fixed={"count:numbers": ifeval.INSTRUCTIONS[NO_COMMA]})
    with pytest.raises(UserError, match="count:numbers is in the families ifbench and colours"):
        families.types_of((*families.FAMILIES, fixed))
    with pytest.raises(UserError, match="two families are called colours"):
        families.by_name((COLOURED, COLOURED))


def test_the_types_are_those_of_the_publications_with_ids_of_their_own():
    published = {"ifeval": 25, "ifbench": 58, "iftrain": 29, "multi_if": 25}
    assert {name: len(families.BY_NAME[name].instructions) for name in published} == published
    own = [family for family in families.FAMILIES if not family.rules_for]
    assert len(checkers.INSTRUCTIONS) == sum(len(family.types) for family in own)
    for family in families.FAMILIES:
        assert all(name.endswith("~fixed") for name in family.fixed)
        assert {name.removesuffix("~fixed") for name in family.fixed} <= family.instructions.keys()
        assert re.fullmatch(r"([\w-]+/[\w-]+@[0-9a-f]{40})?", family.revision), "a whole commit, or none"


def test_a_type_of_multi_if_alone_says_which_family_to_name():
    words = "length_constraints:number_words~fixed"
    kwargs = {"num_words": 1, "relation": "at least"}
    assert checkers.build(words, kwargs, family="multi_if")("two words")
    with pytest.raises(UserError, match=f"^key 1: {words} belongs to multi_if, which is not named: change --family$"):
        checkers.build(words, kwargs, where="key 1")


@pytest.mark.parametrize("family", [family.name for family in families.FAMILIES])
def test_every_family_has_its_list(family):
    types = instruction_types.types(family)
    assert types.instruction_id.tolist() == list(families.BY_NAME[family].types)
    assert families.BY_NAME[family].revision in instruction_types.render(types, "md")


def test_a_new_family_is_scored_listed_and_timed_by_its_one_entry(with_colours, monkeypatch):
    from benchmarks import robustness

    assert checkers.build("colours:colour", {"colour": "red"})("a red door")
    types = instruction_types.types("colours")
    assert types.instruction_id.tolist() == ["colours:colour", "colours:colour~fixed"]
    assert types.arguments.tolist() == [{"colour": "a colour"}] * 2
    with pytest.raises(UserError, match="no value for an argument that must be a colour: add some to VALUES"):
        list(robustness.checkers())
    monkeypatch.setitem(robustness.VALUES, COLOURS, ("red",))
    timed = [name for family, name, _ in robustness.checkers() if family == "colours"]
    assert timed == ["colours:colour", "colours:colour~fixed"]


def test_a_kind_of_argument_that_the_benchmark_does_not_know_takes_the_values_that_it_accepts():
    from benchmarks import robustness

    few = Argument("a number below 5", lambda value: isinstance(value, int) and value < 5, int)
    found = robustness.choices(Instruction(lambda text, n: True, {"n": few}))
    assert sorted({given["n"] for given in found}) == [0, 1, 3]
    assert robustness.values(arguments.COUNT) == robustness.COUNTS


@pytest.mark.parametrize(("family", "heading"), [("ifbench", "## IFBench: "), ("iftrain", "## IF-RLVR: ")])
def test_each_rule_that_contradicts_its_prompt_has_a_row_and_a_fixed_rule(family, heading):
    page = (Path(__file__).resolve().parents[2] / "docs/prompts_and_rules.md").read_text(encoding="utf-8")
    (section,) = [part for part in page.split("\n## ") if f"## {part}".startswith(heading) and " of " in part[:30]]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    ids = [name for row in rows for name in re.findall("`([^`]+)`", row)]
    fixed = families.BY_NAME[family].fixed
    assert sorted(f"{name}~fixed" for name in ids) == sorted(fixed)
    assert section.splitlines()[0].endswith(f"{len(fixed)} of {len(families.BY_NAME[family].instructions)} types")
