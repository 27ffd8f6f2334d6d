"""The examples notice every checker that is broken: always true, always false, or off by one."""

from functools import partial

import pytest
from support.ifeval_examples import ALL, EXAMPLES, assert_the_examples_hold


def off_by_one(follows: partial, name: str, step: int) -> partial:
    """The checker with another number."""
    return partial(follows, **{name: follows.keywords[name] + step})


def _mutants():
    for name, follows in ALL.items():
        yield name, "always true", lambda text: True
        yield name, "always false", lambda text: False
        for argument, value in follows.keywords.items():
            if isinstance(value, int):
                yield name, f"{argument} + 1", off_by_one(follows, argument, 1)
                yield name, f"{argument} - 1", off_by_one(follows, argument, -1)


MUTANTS = list(_mutants())


def test_every_type_has_its_mutants():
    kinds = [kind for _, kind, _ in MUTANTS]
    assert kinds.count("always true") == kinds.count("always false") == 25
    # Eleven types count; the first word's has two counts, its paragraph and how many there are.
    assert len(kinds) - 50 == 2 * 12


@pytest.mark.parametrize(("name", "mutant"), [pytest.param(n, m, id=f"{n}: {kind}") for n, kind, m in MUTANTS])
def test_the_examples_notice_the_mutant(name, mutant, monkeypatch):
    assert_the_examples_hold(name)
    monkeypatch.setitem(ALL, name, mutant)
    with pytest.raises(AssertionError):
        assert_the_examples_hold(name)


def test_the_examples_have_one_response_for_each_verdict():
    assert all(good.strip() and bad.strip() and good != bad for _, good, bad in EXAMPLES.values())
