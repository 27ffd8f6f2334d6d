"""General benchmarks beside the base: which prompts are paired, what is pooled, and what is refused."""

import pandas as pd
import pytest

from uniapl.config.suites import COLUMNS, Task
from uniapl.errors import UserError
from uniapl.tables import general

GROUP = Task("exam", "English", 1.0, few_shot=5)
SINGLE = Task("sums", "mathematics", 1.0, few_shot=0, metric="exact_match,last")
# exam has two tasks of 4 and 2 prompts; the base follows 2 of 6, UniAPL 4 of 6
BASE = {"exam_law": (1, 0, 0, 0), "exam_art": (0, 1)}
UNIAPL = {"exam_law": (1, 1, 1, 0), "exam_art": (0, 1)}


def rows(values: dict, metric="acc,none") -> list[tuple]:
    return [(task, str(i), metric, float(x)) for task, of in values.items() for i, x in enumerate(of)]


def write(root, arm, *found):
    path = root / "suite" / arm / "seed0.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame([row for part in found for row in part], columns=COLUMNS).to_csv(path, index=False)
    return path


@pytest.fixture
def root(tmp_path):
    """Both arms in a random order of rows, with a metric and a task that no benchmark asks for."""
    extra = rows({"exam_law": (0, 0, 0, 0)}, "acc_norm,none") + rows({"examination": (1, 1)})
    write(tmp_path, "base", extra, rows(BASE), rows({"sums": (1, 0, 1, 1)}, "exact_match,last"))
    write(tmp_path, "uniapl", reversed(rows(UNIAPL)), extra, rows({"sums": (0, 0, 1, 0)}, "exact_match,last"))
    return tmp_path


def test_a_group_is_the_mean_over_all_its_prompts_and_the_difference_is_paired(root):
    table = general.general(general.read(root), (GROUP, SINGLE)).set_index("benchmark")
    exam = table.loc["exam"]
    assert exam.n_prompts == 6 and exam.few_shot == 5
    assert exam.base_estimate == pytest.approx(100 * 2 / 6)  # not the mean of 1/4 and 1/2
    assert exam.arm_estimate == pytest.approx(100 * 4 / 6)
    assert exam.difference_estimate == pytest.approx(100 * 2 / 6)
    assert exam.difference_low < 0 and exam.p == 0.5  # two prompts differ, both the same way: 2 / 2^2
    assert table.loc["sums"].difference_estimate == pytest.approx(-50)
    for side in ("base", "arm", "difference"):
        assert (table[f"{side}_low"] <= table[f"{side}_estimate"]).all()
        assert (table[f"{side}_high"] >= table[f"{side}_estimate"]).all()


def test_p_is_adjusted_over_the_table(root):
    table = general.general(general.read(root), (GROUP, SINGLE))
    smaller, larger = sorted(table.p)
    assert sorted(table.p_holm) == pytest.approx([min(1, 2 * smaller), min(1, max(2 * smaller, larger))])


def test_what_runs_code_was_left_out_and_has_no_row(root):
    code = Task("humaneval", "coding", 1.0, few_shot=0, code=True)
    assert list(general.general(general.read(root), (code, GROUP)).benchmark) == ["exam"]
    with pytest.raises(UserError, match="no benchmark of humaneval was run"):
        general.general(general.read(root), (code,))


def test_turns_of_conversations_are_benchmarks_of_their_own(root):
    for arm, followed in (("base", (0, 1)), ("uniapl", (1, 1))):
        path = root / "converse" / arm / "seed0.csv"
        path.parent.mkdir(parents=True)
        found = rows({"multi_if_turn_1": (1, 0), "multi_if_turn_2": followed}, "prompt_strict")
        pd.DataFrame(found, columns=COLUMNS).to_csv(path, index=False)
    table = general.general(general.read(root), general.MULTI_TURN).set_index("benchmark")
    assert list(table.index) == ["multi_if_turn_1", "multi_if_turn_2"]
    assert table.difference_estimate.tolist() == [0, 50]


def test_the_rows_of_both_sources_can_be_published(root, tmp_path):
    """lm-eval numbers its prompts, a conversation's key is text: in a column of a Parquet file both are."""
    for arm in ("base", "uniapl"):
        path = root / "converse" / arm / "seed0.csv"
        path.parent.mkdir(parents=True)
        found = [("multi_if_turn_1", "1001:1:en", "prompt_strict", 1.0)]
        pd.DataFrame(found, columns=COLUMNS).to_csv(path, index=False)
    read = general.read(root)
    read.to_parquet(tmp_path / "rows.parquet", index=False)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "rows.parquet"), read, check_dtype=False)


def test_a_benchmark_that_one_arm_alone_was_asked_is_refused(root):
    write(root, "base", rows(BASE))
    with pytest.raises(UserError, match=r"sums: base and uniapl answered different prompts \(0 and 4 of 4\)"):
        general.general(general.read(root), (GROUP, SINGLE))


def test_other_prompts_are_refused(root):
    write(root, "base", rows(BASE | {"exam_art": (0,)}))
    with pytest.raises(UserError, match=r"exam: base and uniapl answered different prompts \(5 and 6 of 6\)"):
        general.general(general.read(root), (GROUP,))


def test_a_missing_file_and_other_columns_are_one_line(root):
    path = root / "suite/uniapl/seed0.csv"
    pd.DataFrame({"task": ["exam"]}).to_csv(path, index=False)
    with pytest.raises(UserError, match="columns task, not task, doc_id, metric, value; run the stage suite again"):
        general.read(root)
    path.unlink()
    with pytest.raises(UserError, match="seed0.csv: no such file; run the stage suite first"):
        general.read(root)


def test_a_value_that_is_there_twice_is_named(root):
    write(root, "base", rows(BASE), rows({"exam_art": (1, 1)}))
    with pytest.raises(UserError, match=r"base/seed0.csv: acc,none of exam_art, doc_id 0, is there twice"):
        general.read(root)


def test_an_arm_that_was_not_asked_in_turns_is_refused_where_the_other_was(root):
    path = root / "converse/uniapl/seed0.csv"
    path.parent.mkdir(parents=True)
    pd.DataFrame(rows({"multi_if_turn_1": (1,)}, "prompt_strict"), columns=COLUMNS).to_csv(path, index=False)
    with pytest.raises(UserError, match="converse/base/seed0.csv: no such file; run the stage converse first"):
        general.read(root)


def test_the_command_writes_three_formats_and_the_report_shows_the_view(tmp_path, capsys):
    root = tmp_path / "tiny"
    for arm, right in (("base", (0, 1, 0) * 4), ("uniapl", (1, 1, 0) * 4)):
        said = write(root, arm, rows({"uniapl_miniature_choice": right}))
        (root / "converse" / arm).mkdir(parents=True)
        turns = pd.DataFrame(rows({"multi_if_turn_2": (0, 1)}, "prompt_strict"), columns=COLUMNS)
        turns.to_csv(root / "converse" / arm / said.name, index=False)
    general.main(["--root", str(root), "--out", str(tmp_path / "out")])
    assert sorted(path.name for path in (tmp_path / "out").glob("[!.]*")) == [
        "general.csv",
        "general.md",
        "general.tex",
    ]
    text = (tmp_path / "out/general.md").read_text()
    assert "| topics | uniapl_miniature_choice (2-shot) | acc (%) | uniapl | 12 | 33.3 [" in text
    assert "| instructions in turns | multi_if_turn_2 (0-shot) | prompt_strict (%) | uniapl | 2 | 50.0 [" in text
    # the numbers of the CSV, each estimate before its interval, and the p that is adjusted
    of = pd.read_csv(tmp_path / "out/general.csv", dtype=str).set_index("benchmark").loc["uniapl_miniature_choice"]
    sides = [f"{of[f'{s}_estimate']} [{of[f'{s}_low']}, {of[f'{s}_high']}]" for s in ("base", "arm", "difference")]
    assert f"| {' | '.join(sides)} | {of.p_holm} |" in text and of.p != of.p_holm
    with pytest.raises(SystemExit):
        general.main(["--root", str(tmp_path / "smoke"), "--out", str(tmp_path / "never")])
    assert "run the stage suite first" in capsys.readouterr().err and not (tmp_path / "never").exists()


def test_the_share_of_answers_that_their_limit_ended_stands_beside_the_result(root, tmp_path):
    limited = Task("sums", "mathematics", 1.0, few_shot=0, metric="exact_match,last", tokens=9)
    for arm, ended in (("base", (1, 0)), ("uniapl", (0, 0))):
        path = root / "suite" / arm / "seed0.csv"
        marks = pd.DataFrame(rows({"sums": ended}, "cut,last"), columns=COLUMNS)
        pd.concat([pd.read_csv(path), marks]).to_csv(path, index=False)
    table = general.general(general.read(root), (GROUP, limited)).set_index("benchmark")
    assert table.loc["sums", ["base_cut", "arm_cut"]].tolist() == [50.0, 0.0]
    view = general.view(general.rounded("general", table.reset_index()))
    assert view.head[-2:] == ["base, cut (%)", "arm, cut (%)"]
    assert [row[-2:] for row in view.rows] == [["none", "none"], ["50.0", "0.0"]]


def test_each_arm_is_held_against_the_base_on_its_own(root):
    arms = ("base", "uniapl", "sft")
    write(root, "sft", rows(UNIAPL | {"exam_art": (0, 0)}), rows({"sums": (1, 0, 1, 1)}, "exact_match,last"))
    table = general.general(general.read(root, arms), (GROUP, SINGLE), arms).set_index(["benchmark", "arm"])
    assert table.arm_estimate[[("exam", "uniapl"), ("exam", "sft")]].tolist() == pytest.approx([400 / 6, 300 / 6])
    assert table.base_estimate[("exam", "sft")] == table.base_estimate[("exam", "uniapl")]
    assert table.difference_estimate[("sums", "sft")] == 0
    pair, beside = general.general(general.read(root), (GROUP,)).iloc[0], table.loc[("exam", "uniapl")]
    assert all(beside[name] == pair[name] for name in ("p", "arm_low", "difference_high"))


def test_what_the_base_cannot_lose_or_gain_is_not_measured(tmp_path):
    """Below 10 % or above 90 % no difference stands, no p, and Holm's adjustment does not count the row."""
    for arm, hard, easy in (("base", (0, 0, 0, 0), (1, 1, 1, 1)), ("uniapl", (1, 0, 0, 0), (1, 1, 0, 1))):
        write(tmp_path, arm, rows({"hard": hard, "easy": easy, "fair": (1, 0, 0, 1)}))
    names = ("hard", "easy", "fair")
    table = general.general(general.read(tmp_path), [Task(name, "x", 1, few_shot=0) for name in names])
    assert table.difference_estimate.isna().tolist() == table.p_holm.isna().tolist() == [True, True, False]
    assert table.arm_estimate.tolist() == [25, 75, 50]
    assert table.p_holm[2] == table.p[2]
    shown = general.view(general.rounded("general", table)).rows
    # Wilson's 95 % interval of 0 of 4 goes up to z^2 / (4 + z^2), and of 4 of 4 down to 4 / (4 + z^2)
    assert (table.base_high[0], table.base_low[1]) == pytest.approx((48.99, 51.01), abs=0.01)
    assert [row[-2:] for row in shown[:2]] == [[general.NOT_MEASURABLE, ""]] * 2 and shown[2][-2].startswith("0.0 [")


def test_a_benchmark_with_a_unit_of_its_own_is_no_share(tmp_path):
    for arm, values in (("base", (20.0, 30.0)), ("uniapl", (22.0, 31.0))):
        write(tmp_path, arm, rows({"text": values}, "word_perplexity,none"))
    text = Task("text", "text", 1, few_shot=0, metric="word_perplexity,none", unit="per word")
    row = general.general(general.read(tmp_path), (text,)).iloc[0]
    assert (row.base_estimate, row.arm_estimate, row.difference_estimate, row.unit) == (25, 26.5, 1.5, "per word")
