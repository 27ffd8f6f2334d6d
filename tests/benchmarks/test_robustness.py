"""The search for slow texts: random texts of any length, and a quadratic checker told from a linear one."""

import random

from benchmarks import robustness


def linear(text: str) -> bool:
    return True


def quadratic(text: str) -> bool:
    return True


COSTS = {linear: lambda n: 2e-6 * n, quadratic: lambda n: 1e-9 * n**2}  # seconds: 6 and 9 ms at 3,000 characters
TYPES = [("f", "straight", linear), ("f", "square", quadratic)]


def test_a_shape_has_any_length_and_the_same_head_and_end():
    for seed in range(50):
        made_of, text = robustness.shape(random.Random(seed))
        assert [len(text(size)) for size in (300, 1200)] == [300, 1200], made_of
        assert text(300)[:100] == text(1200)[:100]


def test_the_search_names_the_quadratic_checker_alone(monkeypatch):
    monkeypatch.setattr(robustness, "cpu_seconds", lambda follows, text: COSTS[follows](len(text)))
    found = robustness.search(0.05, seed=0, types=TYPES)
    assert found.calls == found.longest == 2 * found.texts > 0
    assert {what for _, what, _ in found.growing} == {"f square"}
    assert found.steepest[:2] == (16.0, "f square") and found.slowest[1] == "f square"
    lines = robustness.told(found)
    assert f"{found.texts} grew 8 times or more" in lines[0] and lines[3].startswith("16.0 times: f square on ")


def test_nothing_is_made_longer_that_is_fast(monkeypatch):
    monkeypatch.setattr(robustness, "cpu_seconds", lambda follows, text: 1e-6)
    found = robustness.search(0.05, seed=1, types=TYPES)
    assert found.longest == 0 and found.growing == [] and robustness.told(found)[0].endswith("0 grew 8 times or more")
