"""No text raises in any type of any family, and every verdict is a truth value, the same at a second look."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.robustness import UNITS, checkers
from uniapl.checkers.families import FAMILIES

EVERY = [*checkers()]  # each type with up to six choices of arguments
TEXTS = (
    st.text(st.characters(exclude_categories=()), max_size=80)  # all of Unicode, half surrogate pairs too
    | st.lists(st.sampled_from(UNITS), max_size=40).map("".join)
    | st.lists(st.sampled_from(UNITS) | st.text(max_size=3), max_size=20).map(" ".join)
)


def test_every_type_of_every_family_is_among_them():
    tried = {(family, name) for family, name, _ in EVERY}
    ours = {name for _, name in tried}
    assert {name for family in FAMILIES for name in family.types} == ours


def raising(text: str) -> list[str]:
    found = []
    for family, name, follows in EVERY:
        try:
            verdict = follows(text)
        except Exception as error:  # whatever it is, a scoring would end with it
            found.append(f"{family} {name}: {error!r}")
            continue
        if type(verdict) is not bool or follows(text) is not verdict:
            found.append(f"{family} {name}: {verdict!r}")
    return found


def check_text(text):
    assert raising(text) == []


@settings(max_examples=12, deadline=None, derandomize=True)
@given(TEXTS)
@example("")
@example("\x1c\x85\u3000")
@example("\ud800. \udc00")
@example("a\r\nb\rc\r\r\n")
@example(".,;!?-*\"'()[]{}<>`|")
@example("{" * 20_000)
@example('{"a":' * 5_000)
def test_no_text_raises_in_any_type(text):
    check_text(text)


@pytest.mark.slow
@settings(max_examples=3_000, deadline=None)
@given(TEXTS)
def test_no_text_of_many_raises_in_any_type(text):
    check_text(text)
