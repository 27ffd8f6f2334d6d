"""Multi-IF on the command line: figures by turn, rows on disk, intervals, a comparison, and one line for a mistake."""

import json

import numpy as np
import pandas as pd
import pytest
from support.two_conversations import RESPONSES, ROWS, write_csv

from uniapl.data.conversations import read_conversations
from uniapl.scorers import multi_if
from uniapl.scorers.command import main
from uniapl.scorers.comparison import compare
from uniapl.scorers.reports import report
from uniapl.scorers.verdicts import summary
from uniapl.stats import wilson


@pytest.fixture
def run(tmp_path, capsys):
    """Run the command on responses to the two conversations; returns what it printed."""

    def run(*options, responses=(RESPONSES,)):
        prompts = write_csv(tmp_path / "multi_if.csv", ROWS)
        files = [tmp_path / f"r{i}.jsonl" for i in range(len(responses))]
        for path, rows in zip(files, responses, strict=True):
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        main(["--family", "multi_if", "--prompts", str(prompts), "--responses", *map(str, files), *map(str, options)])
        return capsys.readouterr().out

    return run


@pytest.fixture
def frame(tmp_path):
    conversations = read_conversations(write_csv(tmp_path / "two.csv", ROWS))
    return multi_if.score(conversations, multi_if.join(conversations, RESPONSES))


def test_the_figures_of_each_turn_and_of_whole_conversations(run):
    found = json.loads(run())
    counts = {
        turn: [(figure["passed"], figure["total"]) for name, figure in four.items() if name != "average"]
        for turn, four in found.items()
    }
    assert counts == {  # prompts strict, instructions strict, prompts loose, instructions loose
        "turn_1": [(2, 2), (2, 2), (2, 2), (2, 2)],
        "turn_2": [(1, 2), (3, 4), (1, 2), (3, 4)],
        "turn_3": [(0, 1), (2, 3), (1, 1), (3, 3)],
        "conversation": [(1, 2), (7, 9), (1, 2), (8, 9)],
    }
    assert found["turn_2"]["average"] == (1 / 2 + 3 / 4 + 1 / 2 + 3 / 4) / 4
    assert "average" not in found["conversation"]


def test_the_rows_on_disk_are_those_of_the_library_and_make_the_same_figures(run, tmp_path, frame):
    printed = json.loads(run("--out", tmp_path / "s.csv"))
    written = pd.read_csv(tmp_path / "s.csv")
    pd.testing.assert_frame_equal(written, frame)
    assert summary(written) == printed
    assert list(written) == ["key", "language", "turn", "index", "instruction_id", "strict", "loose"]


def test_responses_may_be_parquet(run, tmp_path):
    expected = run()
    pd.DataFrame(RESPONSES).to_parquet(tmp_path / "r.parquet")
    assert run("--responses", tmp_path / "r.parquet") == expected


def test_thinking_is_left_out_on_request(run):
    thinking = [{**row, "response": f"<think>a, b</think>{row['response']}"} for row in RESPONSES]
    assert json.loads(run(responses=[thinking]))["turn_1"]["prompt_strict"]["passed"] == 0
    assert run("--strip-thinking", responses=[thinking]) == run()


def test_the_report_has_turns_languages_and_conversations_with_intervals(frame):
    rows = report(frame).set_index(["group", "name", "metric"])
    assert rows.loc[("turn", "turn 2", "average"), "estimate"] == pytest.approx(0.625)
    assert rows.loc[("turn", "turn 2", "prompt_strict"), "method"] == "Wilson interval over prompts"
    assert rows.loc[("language", "turn 3, English", "inst_strict"), ["passed", "total"]].tolist() == [2, 3]
    assert rows.loc[("conversation", "all turns", "prompt_loose"), ["passed", "total"]].tolist() == [1, 2]
    assert rows.loc[("type", "punctuation:no_comma", "inst_strict"), ["passed", "total"]].tolist() == [4, 5]
    assert ((rows.low <= rows.estimate + 1e-12) & (rows.estimate <= rows.high + 1e-12)).all()
    assert rows.loc[("turn", "turn 3", "inst_strict"), ["low", "high"]].tolist() == pytest.approx(wilson(2 / 3, 1)), (
        "of one conversation"
    )
    assert {"all", "benchmark"}.isdisjoint(rows.index.get_level_values("group"))


def test_the_averages_interval_is_that_of_a_bootstrap_of_the_four_figures():
    rng = np.random.default_rng(0)
    n = 400
    given = rng.integers(1, 4, n)
    frame = pd.DataFrame({"key": np.repeat(np.arange(n), given), "turn": 1, "language": "English"})
    frame["index"] = frame.groupby("key").cumcount()
    frame["instruction_id"] = "punctuation:no_comma"
    ease = np.repeat(rng.uniform(size=n), given)
    frame["strict"] = (rng.uniform(size=len(frame)) < ease).astype(int)
    frame["loose"] = np.maximum(frame["strict"], (rng.uniform(size=len(frame)) < 0.2).astype(int))

    follow = [frame.groupby("key")[rule].sum().to_numpy() for rule in ("strict", "loose")]

    def average(weights):
        shares = []
        for followed in follow:
            shares += [weights @ (followed == given) / weights.sum(), weights @ followed / (weights @ given)]
        return sum(shares) / 4

    found = report(frame).set_index(["group", "metric"]).loc[("turn", "average")]
    assert found.estimate == pytest.approx(average(np.ones(n)))
    drawn = [average(rng.multinomial(n, np.full(n, 1 / n))) for _ in range(4000)]
    low, high = np.quantile(drawn, (0.025, 0.975))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.004)


@pytest.mark.parametrize("form", ["md", "csv", "json"])
def test_the_report_is_printed_in_three_formats(run, form):
    printed = run("--format", form)
    for name in ("turn 1", "turn 2, French", "all turns", "punctuation:no_comma"):
        assert name in printed
    assert "average" in printed


def test_two_files_are_compared_by_conversation(run, frame):
    better = [{**row, "response": '"a b c"'} for row in RESPONSES]
    printed = run("--compare", "--format", "csv", responses=[RESPONSES, better])
    strict = next(line for line in printed.splitlines() if line.startswith("prompt_strict"))
    assert strict.split(",")[1:6] == ["2", "1", "0", "1", "0"]  # prompts, both, only A, only B, neither
    shuffled = frame.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(compare(shuffled, frame), compare(frame, frame))


@pytest.mark.parametrize(
    ("responses", "message"),
    [
        (RESPONSES[1:], "1 turns have no response: key 2:1:fr, turn 2"),
        ([{**row, "turn": None} for row in RESPONSES], "5 responses have a wrong turn, or none"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(run, tmp_path, capsys, responses, message):
    with pytest.raises(SystemExit) as stopped:
        run("--out", tmp_path / "s.csv", responses=[responses])
    error = capsys.readouterr().err
    assert stopped.value.code == 2 and message in error and error.count("\n") == 1
    assert not (tmp_path / "s.csv").exists()


def test_a_wrong_argument_names_the_file_the_row_its_key_the_turn_and_the_id(tmp_path, capsys):
    broken = {**ROWS[0], "turn_3_kwargs": '["{}", "{}", "{}"]'}
    prompts = write_csv(tmp_path / "multi_if.csv", [ROWS[1], broken])
    with pytest.raises(SystemExit):
        main(["--family", "multi_if", "--prompts", str(prompts), "--responses", "none.jsonl"])
    error = capsys.readouterr().err
    assert "multi_if.csv: row 2, key 1:1:en, turn 3: length_constraints:number_words: missing argument" in error
