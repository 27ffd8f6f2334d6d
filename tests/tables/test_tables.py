"""Stage tables: the three formats show the same numbers, missing ones stay blank."""

import re

import numpy as np
import pandas as pd
import pytest
from support import analysis_files
from support.analysis_files import BOTH, COMPARISON, MAIN

from uniapl import tables
from uniapl.errors import UserError
from uniapl.tables import View, latex


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """The folder of a rendered analysis."""
    folder = tmp_path_factory.mktemp("tables")
    (folder / "analysis").mkdir()
    analysis_files.write(folder / "analysis")
    tables.main(["--analysis", str(folder / "analysis"), "--out", str(folder / "out")])
    return folder / "out"


@pytest.fixture(scope="module")
def rendered(out):
    """(table, suffix) -> text of the rendered file."""
    files = {(p.stem, p.suffix): p.read_text() for p in out.glob("[!.]*")}
    assert set(files) == {(name, suffix) for name in tables.VIEWS for suffix in (".csv", ".md", ".tex")}
    return files


def cells(markdown):
    """The rows of a pipe table, head first, rule left out."""
    lines = [line for line in markdown.splitlines() if line.startswith("| ")]
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [rows[0], *rows[2:]]


def numbers(text):
    return re.findall(r"-?\d+(?:\.\d+)?(?:e-\d+)?", text.replace("$-$", "-").replace("--:", ""))


def test_main_is_one_row_per_arm_with_a_column_per_benchmark(rendered):
    assert cells(rendered["main", ".md"]) == [
        ["arm", "trained types (%)", "new types (%)", "trained types, sampled (%)", "seeds"],
        ["base", "28.1 [20.0, 36.0]", "0.0 [0.0, 5.7]", "", "1"],
        ["grpo", "46.5 [40.1, 53.0]", "", "41.1 [39.9, 42.2]", "5"],
    ]
    caption = rendered["main", ".md"].splitlines()[-1]
    assert "n = 128 prompts (trained types), 64 prompts (new types)" in caption
    assert "seeds per arm: 5 (base: 1)" in caption and BOTH in caption


def test_an_analysis_older_than_predictions_is_rendered_without_them(analysis, tmp_path):
    for name in ("main", "comparisons"):
        path = analysis / f"{name}.csv"
        pd.read_csv(path).drop(columns=["predict_low", "predict_high"]).to_csv(path, index=False)
    tables.render(analysis, tmp_path / "out")
    assert "predict_low" not in pd.read_csv(tmp_path / "out/main.csv")
    assert "predict_low" not in (tmp_path / "out/comparisons.md").read_text()


def test_csv_keeps_every_row_and_the_promised_columns(out):
    main = pd.read_csv(out / "main.csv")
    assert len(main) == len(MAIN)
    assert {"arm", "metric", "estimate", "low", "high", "n_seeds", "n_prompts"} <= set(main)
    comparisons = pd.read_csv(out / "comparisons.csv")
    wanted = {"difference", "low", "high", "p", "p_holm", "effect", "method", "n_seeds", "n_prompts"}
    assert wanted <= set(comparisons)
    assert comparisons.p_holm.tolist() == [0.1028, 0.0004, 0.0496]  # 4 digits, so 0.05 is not crossed
    assert np.isnan(comparisons.p_seeds[2])


def test_a_difference_that_is_not_significant_has_the_detectable_one_beside_it(rendered):
    head, *rows = cells(rendered["comparisons", ".md"])
    assert head == ["benchmark", "arm", "against", "difference (points)", "detectable", "over seeds", "p (Holm)", "h"]
    assert [row[3:7] for row in rows] == [
        ["5.4 [-1.3, 12.2]", "9.9", "[1.0, 9.9]", "0.1028"],
        ["-12.0 [-20.0, 0.0]", "", "[1.0, 9.9]", "0.0004"],
        ["5.4 [-1.3, 12.2]", "", "", "0.0496"],
    ]
    caption = rendered["comparisons", ".md"].splitlines()[-1]
    assert "n = 128 prompts (trained types)" in caption and "seeds per arm: 5 (base: 1)" in caption
    assert "{" not in caption


def test_comparisons_show_the_experiments_decoding_and_the_other_on_the_first_benchmark(analysis, tmp_path):
    cells_of = [("greedy", "trained"), ("greedy", "new_types"), ("sampled", "trained"), ("sampled", "new_types")]
    frame = pd.DataFrame([COMPARISON | dict(decoding=d, benchmark=b) for d, b in cells_of])
    frame.to_csv(analysis / "comparisons.csv", index=False)
    tables.render(analysis, tmp_path / "out")
    _, *rows = cells((tmp_path / "out/comparisons.md").read_text())
    assert [row[0] for row in rows] == ["trained types", "new types", "trained types, sampled"]
    assert len(pd.read_csv(tmp_path / "out/comparisons.csv")) == 4  # the .csv has all
    tex = (tmp_path / "out/comparisons.tex").read_text()
    assert tex.count(r"\multicolumn{7}{l}{\itshape") == 3 and r"\itshape trained types, sampled}" in tex


def test_a_claim_shows_its_sentence_what_was_measured_and_its_verdict(rendered):
    head, supported, undecided = cells(rendered["claims", ".md"])
    assert head == ["claim", "what it says", "what is measured", "found", "p (Holm)", "seeds", "verdict"]
    assert supported == [
        "C1",
        "UniAPL beats GRPO. (ours)",
        "accuracy of uniapl minus grpo is above 0; trained",
        "13.80 [7.34, 20.47]; over seeds [6.40, 21.20]",
        "0.0084",
        "5",
        "supported",
    ]
    assert undecided[2:] == ["distance of uniapl is above 0", "", "", "2", "not decided: 2 of 3 seeds of uniapl"]
    assert r"\parbox[t]{" in rendered["claims", ".tex"]


def test_claims_of_whole_runs_have_no_prompts_and_a_tag_no_second_brackets(analysis, rendered, tmp_path):
    assert "n = 384 prompts; seeds: 2 to 5." in rendered["claims", ".md"]
    frame = pd.read_csv(analysis / "claims.csv").assign(n_prompts=None, source=["[A]", "ours"])
    frame.to_csv(analysis / "claims.csv", index=False)
    tables.render(analysis, tmp_path / "again")
    text = (tmp_path / "again/claims.md").read_text()
    assert [row[1] for row in cells(text)[1:]] == ["UniAPL beats GRPO. [A]", "UniAPL beats GRPO. (ours)"]
    assert text.strip().endswith("(ours) one of this suite. n = 2 to 5 seeds.") and "[A] marks a claim of" in text


def test_diversity_is_one_row_per_arm_and_the_expert_has_no_interval(rendered):
    assert cells(rendered["diversity", ".md"]) == [
        ["arm", "distinct bigrams (%)", "entropy (nats per token)", "seeds"],
        ["grpo", "32.14 [29.59, 34.69]", "1.36 [1.27, 1.45]", "5"],
        ["base", "34.81", "", "1"],
        ["expert", "22.69", "", "1"],
    ]
    assert "seeds per arm: 5 (base: 1)." in rendered["diversity", ".md"]


def test_missing_values_are_blank_and_never_zero(rendered):
    _, grpo, base = cells(rendered["distances", ".md"])
    assert grpo[3:6] == ["12.346 [10.250, 14.400]", "[11.000, 13.500]", "1.234 [1.100, 1.300]"]
    assert grpo[6:] == ["-8.250", "3.1e-12"]
    assert base[3:5] == ["20.000 [0.000, 22.500]", ""]  # one seed: no interval over seeds
    _, _, sft = cells(rendered["cost", ".md"])
    assert sft == ["sft", "150", "4800", "0", "0", "99", "5.0", "", "not measured", "5"]


@pytest.mark.parametrize("name", tables.VIEWS)
def test_the_three_formats_hold_the_same_numbers(rendered, name):
    shown = [numbers(" ".join(row)) for row in cells(rendered[name, ".md"])[1:]]
    body = rendered[name, ".tex"].split(r"\midrule")[1].split(r"\bottomrule")[0]
    layout = r"\\addlinespace|\\multicolumn.*|\\parbox\[t\]\{[\d.]+\\linewidth\}"  # holds no number of the table
    lines = [re.sub(layout, "", line) for line in body.strip().splitlines()]
    assert [numbers(line) for line in lines if line] == shown
    in_csv = set(numbers(rendered[name, ".csv"]))
    assert {n for row in shown for n in row} <= in_csv
    caption = rendered[name, ".md"].strip().splitlines()[-1]
    assert tables.escape(caption) in rendered[name, ".tex"]


def test_latex_escapes_what_a_name_may_contain():
    assert tables.escape("a_b & 5 % #1 {x} ~^\\ $") == (
        r"a\_b \& 5 \% \#1 \{x\} \textasciitilde{}\textasciicircum{}\textbackslash{} \$"
    )
    assert tables.escape("-1.2 [-3.0, 4.0] 3.1e-12 log-prob 95-100") == ("$-$1.2 [$-$3.0, 4.0] 3.1e-12 log-prob 95-100")


def test_latex_has_one_column_per_head_and_aligns_words_left(rendered):
    tex = rendered["comparisons", ".tex"]
    assert r"\begin{tabular}{llrrrrr}" in tex
    rows = [line for line in tex.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 4 and all(len(re.findall(r"(?<!\\)&", row)) == 6 for row in rows)
    assert r"a\&b\%c & grpo" in tex and r"\label{tab:analysis-comparisons}" in tex


def test_a_minus_sign_is_not_left_on_a_rounded_zero():
    assert [tables.number(x, ".1f") for x in (-0.04, -0.06, 0.0)] == ["0.0", "-0.1", "0.0"]


def test_an_analysis_without_rows_gives_headed_tables(analysis, tmp_path):
    for path in analysis.iterdir():
        path.write_text(path.read_text().splitlines()[0] + "\n")
    tables.render(analysis, tmp_path / "out")
    assert (tmp_path / "out/comparisons.md").read_text().startswith("| benchmark | arm | against |")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.unlink(), "no such file"),
        (lambda path: path.write_text("arm,benchmark,decoding,metric\n"), "no column estimate"),
        (lambda path: path.write_text(path.read_text().replace("28.125", "n/k")), "column estimate"),
    ],
)
def test_what_is_wrong_with_an_analysis_is_said_in_one_line(analysis, tmp_path, spoil, message, capsys):
    spoil(analysis / "main.csv")
    with pytest.raises(SystemExit):
        tables.main(["--analysis", str(analysis), "--out", str(tmp_path / "out")])
    error = capsys.readouterr().err
    assert message in error and "main.csv" in error and len(error.splitlines()) == 1
    with pytest.raises(UserError):
        tables.render(analysis, tmp_path / "out")


def test_a_claim_changed_after_its_runs_were_analysed_says_so_beside_its_verdict(analysis, tmp_path):
    frame = pd.read_csv(analysis / "claims.csv")
    frame.assign(changed=["margin was 2.0", None]).to_csv(analysis / "claims.csv", index=False)
    tables.render(analysis, tmp_path / "out")
    _, changed, same = cells((tmp_path / "out/claims.md").read_text())
    assert changed[-1] == "supported; changed since its runs were first analysed: margin was 2.0"
    assert "changed" not in same[-1]


def test_a_summary_has_one_row_per_arm_and_blank_where_nothing_is_known(rendered):
    head, base, grpo = cells(rendered["summary", ".md"])
    assert head[:6] == [
        *("arm", "trained types (%)", "minus sft_then_grpo", "p (Holm)", "new types (%)", "minus base, new types"),
    ]
    assert head[6:] == ["tokens generated", "tokens trained", "seconds", "verdict", "seeds"]
    assert base == ["base", "28.1 [20.0, 36.0]", "", "", "0.0 [0.0, 5.7]", *[""] * 5, "1"]
    assert grpo[1:6] == [
        *("46.5 [40.1, 53.0]", "-5.4 [-12.2, 1.3]", "0.1028", "0.5 [0.0, 5.7]", "0.5 [-1.0, 2.0]"),
    ]
    assert grpo[6:] == ["1234568", "1500000", "63.3", "not decided (contradicted before adjustment)", "5"]
    caption = rendered["summary", ".md"].splitlines()[-1]
    assert "n = 128 prompts (trained types), 64 prompts (new types); seeds per arm: 5 (base: 1)" in caption


def test_transfer_shows_every_benchmark_beside_its_difference_to_the_base(rendered):
    assert cells(rendered["transfer", ".md"]) == [
        ["arm", "trained types (%)", "minus base, trained types", "new types (%)", "minus base, new types", "seeds"],
        ["base", "28.1", "", "", "", "1"],
        ["grpo", "46.5", "18.4 [9.5, 27.2]*", "0.5", "0.5 [-1.0, 2.0]", "5"],
    ]


def test_an_aggregate_of_one_seed_has_no_interval(rendered):
    assert cells(rendered["aggregate", ".md"]) == [
        ["arm", "interquartile mean (%)", "better than grpo (%)", "seeds"],
        ["base", "20.0", "", "1"],
        ["grpo", "41.3 [39.0, 44.0]", "", "5"],
        ["sft", "40.0 [38.0, 42.0]", "71.5 [55.0, 88.0]", "5"],
    ]


def test_main_shows_the_difference_to_the_comparators_of_the_experiment(analysis, tmp_path):
    minus = MAIN[2][:3] + ("prompt_strict minus base", 18.3626, 9.51, 27.24, 6.0, 30.7, 5, 128, BOTH)
    frame = pd.read_csv(analysis / "main.csv")
    pd.concat([frame, pd.DataFrame([minus], columns=frame.columns)]).to_csv(analysis / "main.csv", index=False)
    tables.render(analysis, tmp_path / "out")
    head, base, grpo = cells((tmp_path / "out/main.md").read_text())
    assert head[-2:] == ["minus base", "seeds"] and (base[-2], grpo[-2]) == ("", "18.4 [9.5, 27.2]")


def test_a_planned_arm_without_a_run_is_missing_and_never_zero(analysis, tmp_path):
    runs = pd.read_csv(analysis / "runs.csv")
    luffy = pd.DataFrame([("luffy", False, 3, 0, None, "0, 1, 2")], columns=runs.columns)
    pd.concat([runs, luffy]).to_csv(analysis / "runs.csv", index=False)
    tables.render(analysis, tmp_path / "out")
    for name in ("main", "summary", "cost", "transfer", "diversity", "distances"):
        head, *rows = cells((tmp_path / f"out/{name}.md").read_text())
        shown = [dict(zip(head, row, strict=True)) for row in rows if "luffy" in row]
        assert shown, name
        for row in shown:
            values = {name: text for name, text in row.items() if name not in ("arm", "seeds", "quantity")}
            assert set(values.values()) <= {"missing", ""} and "missing" in values.values(), name
            assert row.get("seeds", "0") == "0"
    assert "luffy: 0" in (tmp_path / "out/main.md").read_text()  # in the caption, among the seeds
    for name in ("comparisons", "nearer"):
        head, *rows = cells((tmp_path / f"out/{name}.md").read_text())
        shown = [dict(zip(head, row, strict=True)) for row in rows if "luffy" in row]
        assert shown and {row["against"] for row in shown} == {"grpo"}  # the comparator
        assert all("missing" in row.values() and not numbers(row.get("p (Holm)", "")) for row in shown), name
    aggregate = (tmp_path / "out/aggregate.md").read_text()
    assert "| luffy | missing | " in aggregate and "luffy: 0" in aggregate
    again = tables.rounded("main", pd.read_csv(tmp_path / "out/main.csv"))  # as the report reads it
    assert again.estimate[again.arm == "luffy"].tolist() == ["missing"] * 4


def test_a_comparator_without_a_run_is_missing_once_beside_another_comparator(analysis, tmp_path):
    runs = pd.read_csv(analysis / "runs.csv")
    sdft = pd.DataFrame([("sdft", True, 3, 0, None, "0, 1, 2")], columns=runs.columns)
    pd.concat([runs, sdft]).to_csv(analysis / "runs.csv", index=False)
    tables.render(analysis, tmp_path / "out")
    shown = [(row[1], row[2]) for row in cells((tmp_path / "out/comparisons.md").read_text())[1:]]
    assert ("sdft", "grpo") in shown and ("grpo", "sdft") not in shown


def test_latex_sets_intervals_smaller_where_a_row_has_many_and_leaves_sentences_alone():
    row = ["a", "1 [0, 2]", "3 [2, 4]", "5 [4, 6]", "said in [A]"]
    text = latex(View("caption", list("vwxyz"), [row], {"z": 0.2}), "label")
    assert r"1 {\tiny [0, 2]} & 3 {\tiny [2, 4]} & 5 {\tiny [4, 6]} & \parbox[t]{0.2\linewidth}" in text
    assert "said in [A]" in text
    assert r"\tiny" not in latex(View("caption", list("vwxz"), [[*row[:3], row[4]]], {"z": 0.2}), "label")
