"""Stage tables: the three formats show the same numbers, missing ones stay blank, and the LaTeX compiles."""

import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from uniapl import tables
from uniapl.errors import UserError

BOTH = "hierarchical bootstrap over seeds and prompts"
MAIN = [
    # arm, benchmark, decoding, metric, estimate, low, high, n_seeds, n_prompts, method
    ("base", "trained", "greedy", "prompt_strict", 28.125, 20.0, 36.04, 1, 128, "bootstrap over prompts"),
    ("base", "new_types", "greedy", "prompt_strict", 0.0, 0.0, 5.66, 1, 64, "bootstrap over prompts"),
    ("grpo", "trained", "greedy", "prompt_strict", 46.4876, 40.1, 52.96, 5, 128, BOTH),
    ("grpo", "trained", "sampled", "prompt_strict", 41.11, 39.9, 42.2, 5, 128, BOTH),
    ("grpo", "trained", "greedy", "inst_loose", 77.77, 70.7, 80.8, 5, 128, BOTH),
]
COMPARISON = dict(
    arm="sft_then_grpo", against="grpo", benchmark="trained", metric="prompt_strict", decoding="greedy"
) | dict(difference=5.449, low=-1.26, high=12.2, seed_low=1.0, seed_high=9.9, p=0.0514, p_holm=0.1028)
COMPARISON |= dict(p_seeds=0.0213, mcnemar_p=0.0778, effect=0.1149, detectable=9.87, n_seeds=5, n_seeds_against=4)
COMPARISON |= dict(n_prompts=128, family="prompt_strict, greedy, trained: 2 comparisons", method=BOTH)
WORSE = dict(arm="a&b%c", difference=-12.04, low=-20.0, high=-0.04, p=0.0002, p_holm=0.0004, detectable=8.8)
ALONE = dict(arm="base", n_seeds=1, seed_low=None, seed_high=None, p_seeds=None, p_holm=0.0496, detectable=7.7)
DISTANCES = [
    ("grpo", "response length (words)", 0.41234, 1e-9, 12.3456, 11.0, 13.5, 3.1e-12, -8.25, 5, 128, "t"),
    ("base", "response length (words)", 0.5, 0.01, 20.0, None, None, 0.02, 0.0004, 1, 128, "none (one seed)"),
]
DIVERSITY = [
    ("grpo", "distinct bigrams (%)", 32.136, 29.586, 34.686, 5, 384, "t"),
    ("grpo", "entropy (nats per token)", 1.36108, 1.2693, 1.4528, 5, 384, "t"),
    ("base", "distinct bigrams (%)", 34.815, None, None, 1, 384, "none (one seed)"),
    ("expert", "distinct bigrams (%)", 22.69, None, None, 1, 384, "none (one set)"),
]
CLAIM = dict(id="C1", sentence="UniAPL beats GRPO.", source="ours", quantity="accuracy", benchmark="trained")
CLAIM |= dict(arm="uniapl", against="grpo", direction="above", margin=0.0, estimate=13.802, low=7.341, high=20.469)
CLAIM |= dict(seed_low=6.4013, seed_high=21.2, detectable=10.5786, n_seeds=5, n_prompts=384, verdict="supported")
CLAIM |= dict(reason="both intervals above 0")
NOTHING = dict.fromkeys("benchmark against estimate low high seed_low seed_high detectable n_prompts".split())
UNKNOWN = NOTHING | dict(
    id="C2", quantity="distance", n_seeds=2, verdict="not decided", reason="2 of 3 seeds of uniapl"
)
COST = [
    ("grpo", 100, 0, 19200.4, 1234567.6, 1.5e6, 63.27, 812.4, 5),
    ("sft", 150, 4800, 0, 0, 99, 5, None, 5),
]


@pytest.fixture
def analysis(tmp_path):
    """A folder with the CSVs as stage analyse writes them."""
    folder = tmp_path / "analysis"
    folder.mkdir()
    head = "arm benchmark decoding metric estimate low high n_seeds n_prompts method"
    frames = {"main": pd.DataFrame(MAIN, columns=head.split())}
    frames["comparisons"] = pd.DataFrame([COMPARISON, COMPARISON | WORSE, COMPARISON | ALONE])
    head = "arm quantity ks ks_p wasserstein low high wilcoxon_p median_difference n_seeds n_responses interval"
    frames["distances"] = pd.DataFrame(DISTANCES, columns=head.split())
    head = "arm quantity estimate low high n_seeds n_responses interval"
    frames["diversity"] = pd.DataFrame(DIVERSITY, columns=head.split())
    frames["claims"] = pd.DataFrame([CLAIM, CLAIM | UNKNOWN])
    head = "arm optimizer_steps demonstration_rows rollouts tokens_generated tokens_trained seconds"
    frames["cost"] = pd.DataFrame(COST, columns=[*head.split(), "peak_memory_mb", "n_seeds"])
    for name, frame in frames.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


@pytest.fixture
def rendered(analysis, tmp_path):
    """(table, suffix) -> text of the rendered file."""
    tables.main(["--analysis", str(analysis), "--out", str(tmp_path / "out")])
    files = {(p.stem, p.suffix): p.read_text() for p in (tmp_path / "out").iterdir()}
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


def test_csv_keeps_every_row_and_the_promised_columns(rendered, tmp_path):
    main = pd.read_csv(tmp_path / "out/main.csv")
    assert len(main) == len(MAIN)
    assert {"arm", "metric", "estimate", "low", "high", "n_seeds", "n_prompts"} <= set(main)
    comparisons = pd.read_csv(tmp_path / "out/comparisons.csv")
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
    assert head == ["claim", "what it says", "what is measured", "found", "seeds", "verdict"]
    assert supported == [
        "C1",
        "UniAPL beats GRPO. (ours)",
        "accuracy of uniapl minus grpo is above 0; trained",
        "13.80 [7.34, 20.47]; over seeds [6.40, 21.20]",
        "5",
        "supported",
    ]
    assert undecided[2:] == ["distance of uniapl is above 0", "", "2", "not decided: 2 of 3 seeds of uniapl"]
    assert r"\parbox[t]{" in rendered["claims", ".tex"]


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
    assert grpo[3] == "12.346 [11.000, 13.500]" and grpo[5] == "3.1e-12"
    assert base[3:5] == ["20.000", "0.000"]  # one seed: no interval
    _, _, sft = cells(rendered["cost", ".md"])
    assert sft == ["sft", "150", "4800", "0", "0", "99", "5.0", "", "5"]


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


LONG = "a_sft_then_a_grpo"


@pytest.mark.parametrize("arm", ["grpo", LONG])
def test_latex_compiles_as_pasted_and_fits_the_column_of_an_article(arm, analysis, tmp_path):
    compilers = [c for c in ("pdflatex", "tectonic") if shutil.which(c)]
    if not compilers:
        pytest.skip("needs pdflatex or tectonic")
    for path in analysis.iterdir():
        path.write_text(path.read_text().replace("grpo", arm))
    tables.render(analysis, tmp_path / "out")
    body = "\n".join((tmp_path / f"out/{name}.tex").read_text() for name in tables.VIEWS)
    packages = "\\documentclass{article}\n\\usepackage{booktabs,graphicx}\n"
    (tmp_path / "all.tex").write_text(f"{packages}\\begin{{document}}\n{body}\\end{{document}}\n")
    options = ["-interaction=nonstopmode", "-halt-on-error"] if compilers[0] == "pdflatex" else []
    done = subprocess.run([compilers[0], *options, "all.tex"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout and "too large" not in done.stdout


def test_no_table_shrinks_by_more_than_a_tenth_to_fit(analysis, tmp_path):
    if not shutil.which("pdflatex"):
        pytest.skip("needs pdflatex")
    for path in analysis.iterdir():
        path.write_text(path.read_text().replace("sft_then_grpo", LONG))
    tables.render(analysis, tmp_path / "out")
    body = "\n".join((tmp_path / f"out/{name}.tex").read_text() for name in tables.VIEWS)
    body = re.sub(r"\\resizebox\{.*\\fi\}\{!\}", r"\\sbox0", body)
    body = body.replace(r"\end{tabular}}", r"\end{tabular}}\typeout{WIDTH \the\wd0 \space OF \the\linewidth}")
    packages = "\\documentclass{article}\n\\usepackage{booktabs,graphicx}\n"
    (tmp_path / "all.tex").write_text(f"{packages}\\begin{{document}}\n{body}\\end{{document}}\n")
    command = ["pdflatex", "-interaction=nonstopmode", "all.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    widths = re.findall(r"WIDTH ([\d.]+)pt OF ([\d.]+)pt", done.stdout)
    assert len(widths) == len(tables.VIEWS) and all(float(x) < 1.1 * float(line) for x, line in widths)


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
