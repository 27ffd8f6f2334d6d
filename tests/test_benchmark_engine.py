"""The engine's benchmark on the miniature: every side takes steps, and the table has each of its measures."""

import argparse

import pytest

from benchmarks import engine


def test_every_side_is_measured_and_compared(policy):
    sizes = {"prompts": 2, "group": 2, "rows": 2, "limit": 6, "rounds": 1, "threads": None}
    args = argparse.Namespace(model=str(policy), clock="cpu", vllm=False, **sizes)
    found = engine.measured(args, ("stock", "engine", "uniapl"))
    for side in found.values():
        assert side["step"] >= side["rollouts"] + 0.9 * side["pass"] > 0 and 4 <= side["tokens"] <= 24
        assert side["tokens/s"] == pytest.approx(side["tokens"] / side["rollouts"])
    table = engine.ratios(found)
    assert table["engine: whole step"] == found["engine"]["step"] / found["stock"]["step"]
    assert len(table) == 6


def test_prompts_ask_for_what_the_checkers_know():
    import json

    from uniapl import checkers

    for row in engine.rows(20):
        assert checkers.build_all(*json.loads(row["instructions"]))
