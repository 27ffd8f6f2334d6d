"""Two score frames of the same prompts: wins and losses, the exact test, and intervals that know the pairs."""

import json

import numpy as np
import pandas as pd
import pytest
from support.places import ROOT

from uniapl.errors import UserError
from uniapl.scorers.comparison import COUNTS, compare, paired, render


def frame(strict: list[list[int]], loose: list[list[int]] | None = None) -> pd.DataFrame:
    """A score frame: one list of verdicts per prompt, keys from 1."""
    rows = [
        (key, index, "punctuation:no_comma", s, lo)
        for key, (prompt, loosely) in enumerate(zip(strict, loose or strict, strict=True), start=1)
        for index, (s, lo) in enumerate(zip(prompt, loosely, strict=True))
    ]
    return pd.DataFrame(rows, columns=["key", "index", "instruction_id", "strict", "loose"])


# 12 prompts of two instructions: 3 that both follow, 6 only A, 1 only B, 2 neither (A half of one of these)
A = frame([[1, 1]] * 3 + [[1, 1]] * 6 + [[0, 1]] + [[1, 0], [0, 0]])
B = frame([[1, 1]] * 3 + [[0, 1]] * 6 + [[1, 1]] + [[0, 0], [0, 0]])


def row(found: pd.DataFrame, metric: str) -> dict:
    return found.set_index("metric").loc[metric].to_dict()


def test_wins_and_losses_with_the_exact_test():
    found = row(compare(A, B), "prompt_strict")
    assert [found[name] for name in COUNTS] == [3, 6, 1, 2]
    # of 7 discordant prompts 6 or more on one side: 2 (C(7,6) + C(7,7)) / 2^7 = 2 * 8 / 128
    assert found["p"] == pytest.approx(0.125) and found["test"] == "exact McNemar"
    assert found["a"] == pytest.approx(9 / 12) and found["b"] == pytest.approx(4 / 12)
    assert found["difference"] == pytest.approx(5 / 12)
    assert found["low"] < 5 / 12 < found["high"]


def test_the_fraction_counts_every_instruction_of_a_prompt():
    found = row(compare(A, B), "fraction_strict")
    # A: 9 whole prompts, 2 halves, 1 nothing; B: 4 whole, 6 halves, 2 nothing
    assert found["a"] == pytest.approx(10 / 12) and found["b"] == pytest.approx(7 / 12)
    assert found["difference"] == pytest.approx(3 / 12)
    assert all(pd.isna(found[name]) for name in COUNTS) and found["test"] == "bootstrap, sign flips"


def test_strict_and_loose_are_compared_each_for_itself():
    better = frame([[0]] * 10, [[1]] * 10)
    found = compare(better, frame([[0]] * 10))
    assert row(found, "prompt_loose")["only_a"] == 10 and row(found, "prompt_strict")["only_a"] == 0
    # all ten on one side: 2 / 2^10
    assert row(found, "prompt_loose")["p"] == pytest.approx(2 / 1024)


def test_the_interval_is_that_of_pairs():
    rng = np.random.default_rng(0)
    first = (rng.random(400) < 0.5).astype(int)
    second = np.where(rng.random(400) < 0.05, 1 - first, first)  # the same verdicts but for one in twenty
    found = row(compare(*(frame([[int(v)] for v in verdicts]) for verdicts in (first, second))), "prompt_strict")
    d = first - second
    half = 1.96 * d.std(ddof=1) / 20  # sqrt(400); unpaired it would be 0.069
    assert (found["high"] - found["low"]) / 2 == pytest.approx(half, rel=0.1) and half < 0.03
    assert found["detectable"] == pytest.approx((1.96 + 0.8416) * half / 1.96, rel=0.1)


def test_swapping_the_files_flips_every_sign():
    there, back = compare(A, B), compare(B, A)
    for metric in there["metric"]:
        one, other = row(there, metric), row(back, metric)
        assert (one["difference"], one["low"], one["high"]) == (-other["difference"], -other["high"], -other["low"])
        assert (one["p"], one["a"], one["detectable"]) == (other["p"], other["b"], other["detectable"])
    assert row(back, "prompt_strict")["only_b"] == 6


def test_equal_verdicts_are_not_a_certain_difference_of_zero():
    found = row(compare(A, A), "prompt_strict")
    assert (found["difference"], found["p"], found["only_a"], found["only_b"]) == (0, 1, 0, 0)
    # no discordant prompt among 12: up to 1 - 0.025^(1/12) may be discordant in the world, each way
    assert found["high"] == pytest.approx(1 - 0.025 ** (1 / 12)) == pytest.approx(0.2646, abs=1e-3)
    assert found["low"] == -found["high"]
    assert found["detectable"] == pytest.approx(found["high"] * 2.8016 / 1.96, abs=1e-3)
    assert row(compare(A, A), "fraction_loose")["high"] == found["high"]


def test_few_discordant_prompts_get_bounds_that_no_bootstrap_would():
    """One of 100 only A: p = 0.01 in [0.00025, 0.0545], q = 0 in [0, 0.0362]; the bootstrap's bound would be 0.

    Shares of 1 and 0 of 100, at Laplace's 2/102 and 1/102, have the correlation -0.0141: Clopper and Pearson's bounds.
    """
    found = row(compare(frame([[1]] * 100), frame([[0]] + [[1]] * 99)), "prompt_strict")
    x, y = 0.01 - 0.000253, 0.036217
    assert found["low"] == pytest.approx(0.01 - np.sqrt(x**2 + y**2 + 2 * 0.0141 * x * y), abs=1e-4)
    assert found["high"] == pytest.approx(0.05446, abs=1e-4)
    assert "no narrower than exact bounds" in found["method"]


def test_one_prompt_decides_nothing_and_five_do_not_either():
    """A follows all, B none: 2 / 2^n is the least that n signs can give."""
    for n, p in ((1, 1), (5, 0.0625), (6, 0.03125)):
        found = compare(frame([[1]] * n), frame([[0]] * n))
        assert found["p"].tolist() == pytest.approx([p] * 4)
        assert ((found["low"] <= 0) == (p > 0.05)).all() and (found["high"] == 1).all()


def test_the_order_of_rows_changes_nothing():
    shuffled = B.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(compare(A, shuffled), compare(A, B))


@pytest.mark.parametrize(
    "other", [B[B.key > 1], B.assign(key=B.key + 1), B.assign(instruction_id="startend:quotation"), B.iloc[1:]]
)
def test_scores_of_other_prompts_are_refused(other):
    with pytest.raises(UserError, match="different prompts .* score both on one file"):
        paired(A, other)


def test_the_documentation_shows_the_caption_that_is_printed():
    a, b = (frame([[int(row % n == 0)] for row in range(541)]) for n in (2, 3))
    caption = render(compare(a, b), "md", "text-bison.jsonl", "first80.jsonl").splitlines()[-1]
    assert f"\n{caption}\n" in (ROOT / "docs/scorers.md").read_text()


def test_the_same_numbers_in_every_format():
    found = compare(A, B)
    as_json = json.loads(render(found, "json", "a.jsonl", "b.jsonl"))
    assert (as_json["a"], as_json["b"]) == ("a.jsonl", "b.jsonl")
    first = as_json["comparison"][0]
    assert (first["metric"], first["only_a"], first["p"]) == ("prompt_strict", 6, pytest.approx(0.125))
    assert next(r for r in as_json["comparison"] if r["metric"] == "fraction_loose")["both"] is None

    lines = render(found, "csv", "a.jsonl", "b.jsonl").splitlines()
    assert lines[0].startswith("metric,n_prompts,both,only_a,only_b,neither,a,b,difference,low,high,p,")
    assert lines[1].startswith("prompt_strict,12,3,6,1,2,0.75,")

    text = render(found, "md", "a.jsonl", "b.jsonl")
    cells = [cell.strip() for cell in text.splitlines()[2].split("|")][1:-1]
    assert cells[:7] == ["prompt strict", "3", "6", "1", "2", "75.0", "33.3"]
    assert cells[7].startswith("41.7 [") and cells[8] == "0.125"
    assert "A: a.jsonl. B: b.jsonl. n = 12 prompts" in text
