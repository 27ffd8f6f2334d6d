"""The report, what the command prints in which format, and its options; hand-made frames with the arithmetic beside."""

import io
import json
import sys

import pandas as pd
import pytest
from support.two_prompts import PROMPTS, RESPONSES, write

from uniapl.checkers import families, ifeval
from uniapl.data.prompts import read_prompts, valid_prompts
from uniapl.errors import UserError
from uniapl.scorers import command as stage
from uniapl.scorers.match import Pairs
from uniapl.scorers.reports import COLUMNS, report
from uniapl.scorers.verdicts import each_piece
from uniapl.stats import wilson

KEYWORDS, COMMA, QUOTATION = "keywords:existence", "punctuation:no_comma", "startend:quotation"
FRAME = pd.DataFrame(
    [
        (1, 0, KEYWORDS, 1, 1),
        (1, 1, COMMA, 0, 1),
        (2, 0, KEYWORDS, 1, 1),
        (2, 1, KEYWORDS, 0, 0),
        (3, 0, QUOTATION, 1, 1),
        (4, 0, KEYWORDS, 0, 1),
    ],
    columns=["key", "index", "instruction_id", "strict", "loose"],
)


def rows(frame: pd.DataFrame, group: str, name: str) -> pd.DataFrame:
    found = report(frame)
    return found[(found["group"] == group) & (found["name"] == name)].set_index("metric")


def shares(frame: pd.DataFrame, group: str, name: str) -> dict:
    return rows(frame, group, name)[["passed", "total"]].apply(tuple, axis=1).to_dict()


def test_figures_and_rewards_of_all_prompts():
    assert shares(FRAME, "all", "all") == {
        "prompt_strict": (1, 4),  # prompt 3
        "inst_strict": (3, 6),
        "prompt_loose": (3, 4),  # all but prompt 2
        "inst_loose": (5, 6),
        "reward": (1, 4),
        "fraction": (2, 4),  # 1/2 + 1/2 + 1 + 0
    }
    assert rows(FRAME, "all", "all").loc["fraction", "estimate"] == 0.5


def test_a_category_and_a_type_count_only_their_own_instructions():
    expected = {
        "prompt_strict": (1, 3),  # prompt 1: its comma is not a keyword; 2 and 4 miss one
        "inst_strict": (2, 4),
        "prompt_loose": (2, 3),
        "inst_loose": (3, 4),
    }
    assert shares(FRAME, "category", "keywords") == shares(FRAME, "type", KEYWORDS) == expected
    assert shares(FRAME, "category", "startend")["inst_strict"] == (1, 1)


def test_types_of_one_category_are_pooled():
    frame = FRAME.assign(instruction_id=FRAME.instruction_id.replace(COMMA, "keywords:frequency"))
    assert shares(frame, "category", "keywords")["inst_strict"] == (2, 5)
    assert shares(frame, "type", "keywords:frequency")["inst_strict"] == (0, 1)


def test_benchmarks_have_rows_where_the_frame_has_them():
    frame = FRAME.assign(benchmark=["new"] * 4 + ["old"] * 2)
    assert shares(frame, "benchmark", "old")["prompt_strict"] == (1, 2)
    assert shares(frame, "benchmark", "new")["reward"] == (0, 2)
    assert set(report(FRAME)["group"]) == {"all", "category", "type"}


def test_prompts_have_wilsons_interval():
    found = rows(FRAME, "all", "all").loc["prompt_loose"]
    assert (found.low, found.high) == wilson(3, 4)
    assert found.method == "Wilson interval over prompts"
    single = rows(FRAME, "type", QUOTATION).loc["inst_strict"]  # one instruction per prompt: the same thing
    assert (single.low, single.high) == wilson(1, 1)


def test_instructions_that_fail_together_widen_the_interval():
    """100 prompts of four equal verdicts each are 100 observations, not 400: Wilson over 400 is half as wide."""
    verdicts = [(key, index, f"a:{index}", key % 2, key % 2) for key in range(100) for index in range(4)]
    frame = pd.DataFrame(verdicts, columns=FRAME.columns)
    found = rows(frame, "all", "all").loc["inst_strict"]
    as_if_independent = wilson(200, 400)
    assert found.method == "bootstrap over prompts"
    width = (found.high - found.low) / (as_if_independent[1] - as_if_independent[0])
    assert width == pytest.approx(2, rel=0.08)


def test_the_interval_is_of_instructions_not_of_prompts():
    """20 prompts of one followed instruction, 20 of three that are not: 20 of 80, though half of the shares."""
    verdicts = [(key, 0, "a:0", 1, 1) for key in range(20)]
    verdicts += [(key, index, f"a:{index}", 0, 0) for key in range(20, 40) for index in range(3)]
    found = rows(pd.DataFrame(verdicts, columns=FRAME.columns), "all", "all")
    assert found.loc["inst_strict", "estimate"] == 0.25 and found.loc["fraction", "estimate"] == 0.5
    for metric in ("inst_strict", "fraction"):
        low, estimate, high = found.loc[metric, ["low", "estimate", "high"]]
        assert low < estimate < high and high - low < 0.35
    assert found.loc["inst_strict", "high"] < 0.5


def test_one_of_two_instructions_is_no_prompt():
    """Ten prompts that follow one of two: 10 of 20, where Wilson's interval of 10 of 10 prompts starts at 0.72."""
    verdicts = [(key, index, f"a:{index}", index, index) for key in range(10) for index in range(2)]
    found = rows(pd.DataFrame(verdicts, columns=FRAME.columns), "all", "all").loc["inst_strict"]
    assert found.low <= found.estimate <= found.high and found.estimate == 0.5


def test_equal_frames_give_equal_reports():
    pd.testing.assert_frame_equal(report(FRAME), report(FRAME.copy()))


@pytest.fixture
def command(tmp_path, capsys):
    """Run the command with options; returns what it printed."""
    prompts = write(tmp_path / "p.jsonl", PROMPTS)
    answers = {"a": RESPONSES, "b": [RESPONSES[0], {**RESPONSES[1], "response": "rain and snow"}]}
    files = {name: str(write(tmp_path / f"{name}.jsonl", rows)) for name, rows in answers.items()}

    def command(*options: str, of="a") -> str:
        stage.main(["--prompts", str(prompts), "--responses", *(files[name] for name in of), *options])
        return capsys.readouterr().out

    return command


def test_without_out_nothing_is_written(command, tmp_path):
    assert json.loads(command())["inst_loose"]["passed"] == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "b.jsonl", "p.jsonl"]


def test_json_is_an_object_per_file(command):
    first, second = map(json.loads, command("--format", "json", of="ab").splitlines())
    assert first["responses"].endswith("a.jsonl") and second["responses"].endswith("b.jsonl")
    assert {"group": "all", "metric": "inst_strict", "passed": 2, "total": 4}.items() <= first["report"][1].items()
    assert second["report"][1]["passed"] == 3


def test_csv_is_one_table_with_the_file_in_it(command):
    frame = pd.read_csv(io.StringIO(command("--format", "csv", of="ab")))
    assert list(frame) == ["responses", *COLUMNS]
    assert frame.groupby("responses", sort=False).size().tolist() == [len(frame) / 2] * 2


def test_markdown_has_a_heading_per_file_and_a_table_per_group(command):
    text = command("--format", "md")
    assert text.count("## ") == 1
    heads = [line for line in text.splitlines() if line.startswith("| ") and "prompt strict" in line]
    assert [head.split("|")[1].strip() for head in heads] == ["all prompts", "category", "instruction type"]
    line = next(line for line in text.splitlines() if line.startswith("| keywords:existence"))
    # one prompt with two keywords instructions: rain is there, snow is not; Wilson of 0/1 is [0, 79.3]
    assert [cell.strip() for cell in line.split("|")][2:5] == ["1", "2", "0.0 [0.0, 79.3]"]


def test_two_files_are_compared(command):
    found = json.loads(command("--compare", "--format", "json", of="ab"))
    strict = next(row for row in found["comparison"] if row["metric"] == "prompt_strict")
    assert [strict[name] for name in ("both", "only_a", "only_b", "neither")] == [0, 0, 1, 1]
    assert command("--compare", of="ab") == command("--compare", "--format", "md", of="ab")


def test_a_comparison_writes_the_scores_too(command, tmp_path):
    outs = [str(tmp_path / f"{name}.csv") for name in "ab"]
    command("--compare", "--out", *outs, of="ab")
    assert [pd.read_csv(out).strict.sum() for out in outs] == [2, 3]


@pytest.mark.parametrize(
    ("options", "of", "message"),
    [
        (["--compare"], "a", "--compare needs two --responses, not 1"),
        (["--compare"], "aa", "--responses names a file twice"),
        (["--out", "x.csv"], "ab", "2 --responses and 1 --out"),
    ],
)
def test_a_wrong_call_is_one_line(command, capsys, options, of, message):
    with pytest.raises(SystemExit) as stopped:
        command(*options, of=of)
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


# --family -----------------------------------------------------------------------------------------


def test_an_instruction_of_another_family_is_one_line(command, capsys, monkeypatch):
    small = families.Family("small", {QUOTATION: ifeval.INSTRUCTIONS[QUOTATION]}, {}, "ours", "ours")
    monkeypatch.setitem(families.BY_NAME, "small", small)
    assert json.loads(command("--family", "ifeval"))["inst_strict"]["total"] == 4
    with pytest.raises(SystemExit):
        command("--family", "small")
    error = capsys.readouterr().err
    assert "row 1, key 7: keywords:existence belongs to ifeval, not to small: change --family" in error
    assert error.count("\n") == 1


def test_an_unknown_id_is_still_unknown_within_a_family(tmp_path):
    path = write(tmp_path / "p.jsonl", [{**PROMPTS[1], "instruction_id_list": ["startend:quotations"]}])
    with pytest.raises(UserError, match="unknown instruction, did you mean 'startend:quotation'"):
        read_prompts(path, "ifeval")


@pytest.mark.parametrize(
    ("instruction_id", "kwargs", "owner"),
    [("count:conjunctions~fixed", {"small_n": 2}, "ifbench"), ("keywords:palindrome~fixed", {}, "iftrain")],
)
def test_a_fixed_rule_is_of_the_family_of_the_rule_that_it_mends(instruction_id, kwargs, owner):
    row = {**PROMPTS[1], "instruction_id_list": [instruction_id], "kwargs": [kwargs]}
    assert valid_prompts([row], "p.jsonl", owner) == [row]
    with pytest.raises(UserError, match=f"{instruction_id} belongs to {owner}, not to ifeval: change --family"):
        valid_prompts([row], "p.jsonl", "ifeval")


# --strip-thinking ---------------------------------------------------------------------------------


def test_thinking_counts_unless_it_is_stripped(tmp_path, capsys):
    prompts = write(tmp_path / "p.jsonl", PROMPTS[1:])
    responses = write(tmp_path / "r.jsonl", [{"key": 3, "response": '<think>a quote</think>\n\n"To be"'}])
    for options, passed in (([], 0), (["--strip-thinking"], 1)):
        stage.main(["--prompts", str(prompts), "--responses", str(responses), *options])
        assert json.loads(capsys.readouterr().out)["prompt_strict"]["passed"] == passed


# the progress bar ---------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stderr", "n", "shown"),
    [(Terminal, stage.LONG, True), (Terminal, 10, False), (io.StringIO, stage.LONG, False)],
)
def test_a_long_file_on_a_terminal_shows_its_progress(monkeypatch, stderr, n, shown):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", stderr())
    if not shown:
        monkeypatch.delattr("rich.progress.track")
    prompts = [{**PROMPTS[1], "key": key, "prompt": f"Quote {key}."} for key in range(n)]
    responses = [{"key": key, "response": '"To be"'} for key in range(n)]
    with Pairs(prompts) as pairs:
        pairs.answer(responses)
        frame = pd.concat(each_piece(pairs, watch=stage.progress("answers.jsonl")))
    assert len(frame) == n and frame.strict.all()
    assert ("answers.jsonl" in sys.stderr.getvalue()) == shown
