"""The benchmark of damaged files tells what is named from what is used, on the two files that `uniapl score` reads."""

import sys

import pandas as pd
import pytest
from support.two_prompts import PROMPTS, RESPONSES, write

from benchmarks import corruptions
from uniapl.provenance import checksums

READ_BY_SCORE = {kind: corruptions.KINDS[kind] for kind in ("test prompts", "responses")}


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A folder of results with what `score` reads."""
    monkeypatch.setattr(corruptions, "KINDS", READ_BY_SCORE)
    root = tmp_path / "results"
    (root / "data").mkdir(parents=True)
    write(root / "data/test.jsonl", PROMPTS)
    write(root / "data/validation.jsonl", PROMPTS[:1])
    for arm, rows in (("sft", RESPONSES), ("grpo", [{**row, "response": "rain"} for row in RESPONSES])):
        (root / f"generate/test/{arm}/seed0").mkdir(parents=True)
        pd.DataFrame(rows).to_parquet(root / f"generate/test/{arm}/seed0/greedy.parquet")
    return root


def test_every_damage_to_a_recorded_file_is_named(results, tmp_path):
    checksums.record(results / "data", results / "generate/test/sft/seed0")
    before = {path: path.read_bytes() for path in results.rglob("*") if path.is_file()}
    counts = corruptions.corruptions(results, tmp_path / "work")
    assert {kind: dict(found) for kind, found in counts.items()} == {
        kind: {("flipped", "named"): 7, ("cut", "named"): 2, ("older", "named"): 1} for kind in READ_BY_SCORE
    }
    assert corruptions.table(counts).endswith("20 corruptions.")
    assert {path: path.read_bytes() for path in results.rglob("*") if path.is_file()} == before, "a copy is damaged"


def test_what_nobody_recorded_may_be_used_and_the_table_says_so(results, tmp_path):
    counts = corruptions.corruptions(results, tmp_path / "work")
    assert counts["responses"]["older", "silent"] == 1
    assert "| responses | 7 | 2 | 1 |" in corruptions.table(counts)


def test_a_file_with_the_same_bytes_is_no_damage(results, tmp_path):
    write(results / "data/validation.jsonl", PROMPTS)
    with pytest.raises(SystemExit, match="validation.jsonl has the same bytes as .*test.jsonl: name another file"):
        corruptions.corruptions(results, tmp_path / "work")


@pytest.mark.parametrize(
    ("code", "line", "expected"),
    [
        (2, "error: a.csv: broken", "named"),
        (2, "error: another.csv: broken", "other"),
        (2, "error: a.csv: one\nerror: a.csv: two", "other"),
        (1, "error: a.csv: broken", "other"),
        (0, "", "silent"),
    ],
)
def test_only_one_line_with_the_file_and_exit_code_2_is_a_name(code, line, expected, monkeypatch, tmp_path):
    def command(_):
        print(line.replace("a.csv", str(tmp_path / "a.csv")), file=sys.stderr)
        raise SystemExit(code)

    monkeypatch.setattr(corruptions, "uniapl", command)
    assert corruptions.outcome([], tmp_path / "a.csv") == expected
