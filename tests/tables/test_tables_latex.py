"""LaTeX tables compile as pasted, fit the page of an article, and go on where they are longer than it."""

import re
import shutil
import subprocess

import pandas as pd
import pytest
from support.places import ROOT

from uniapl import tables
from uniapl.tables import overview
from uniapl.tables.form import LINES, View, latex

PUBLISHED = sorted((ROOT / "results/published").glob("*/tables"))
LONG = "a_sft_then_a_grpo"
LONGEST = "sft_then_grpo_group16_no_kl_lr3e5_and_a_warmup_of_ten_steps_without_an"  # 70 letters
COMPILERS = [name for name in ("pdflatex", "tectonic") if shutil.which(name)]
TYPESET = pytest.mark.skipif(not COMPILERS, reason="needs pdflatex (texlive-latex-recommended) or tectonic")


def typeset(body, folder):
    """What the compiler prints on an article with this body; the test fails where it does not compile."""
    packages = "\\documentclass{article}\n\\usepackage{booktabs,graphicx}\n"
    (folder / "all.tex").write_text(f"{packages}\\begin{{document}}\n{body}\\end{{document}}\n")
    options = ["-interaction=nonstopmode", "-halt-on-error"] if COMPILERS[0] == "pdflatex" else []
    done = subprocess.run([COMPILERS[0], *options, "all.tex"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    return done.stdout + done.stderr


def fits(printed):
    return "Overfull" not in printed and "too large" not in printed


@TYPESET
@pytest.mark.parametrize("folder", PUBLISHED, ids=lambda folder: folder.parent.name)
def test_every_published_table_compiles_as_pasted(folder, tmp_path):
    paths = sorted(folder.rglob("*.tex"))
    assert paths
    typeset("\\clearpage\n".join(path.read_text() for path in paths), tmp_path)


@TYPESET
@pytest.mark.parametrize("folder", PUBLISHED, ids=lambda folder: folder.parent.name)
def test_the_overview_of_a_published_set_compiles_and_fits(folder, tmp_path):
    overview.main(["--root", str(folder.parent), "--out", str(tmp_path / "out")])
    paths = sorted((tmp_path / "out").glob("*.tex"))
    assert len(paths) == 5 and fits(typeset("\\clearpage\n".join(path.read_text() for path in paths), tmp_path))


@TYPESET
@pytest.mark.parametrize("arm", ["grpo", LONG])
def test_latex_compiles_as_pasted_and_fits_the_column_of_an_article(arm, analysis, tmp_path):
    for path in analysis.iterdir():
        path.write_text(path.read_text().replace("grpo", arm))
    tables.render(analysis, tmp_path / "out")
    assert fits(typeset("\n".join((tmp_path / f"out/{name}.tex").read_text() for name in tables.VIEWS), tmp_path))


@TYPESET
@pytest.mark.parametrize(
    "renamed",
    [{"sft_then_grpo": LONG}, {"sft_then_grpo": LONGEST, "trained": f"bench_{LONGEST}"[:60]}],
    ids=["usual names", "names of 70 and 60 letters"],
)
def test_no_table_but_the_widest_shrinks_by_more_than_a_tenth_to_fit(renamed, analysis, tmp_path):
    for path in analysis.iterdir():
        text = path.read_text()
        for name, longer in renamed.items():
            text = re.sub(rf"\b{name}\b", longer, text)
        path.write_text(text)
    tables.render(analysis, tmp_path / "out")
    body = "\n".join((tmp_path / f"out/{name}.tex").read_text() for name in tables.VIEWS)
    body = re.sub(r"\\resizebox\{.*\\fi\}\{!\}", r"\\sbox0", body)
    body = body.replace(r"\end{tabular}}", r"\end{tabular}}\typeout{WIDTH \the\wd0 \space OF \the\linewidth}")
    widths = re.findall(r"WIDTH ([\d.]+)pt OF ([\d.]+)pt", typeset(body, tmp_path))
    shares = {name: float(x) / float(line) for name, (x, line) in zip(tables.VIEWS, widths, strict=True)}
    assert shares.pop("summary") < 1.7  # eleven columns, four of them with intervals: 1.6 with usual names too
    assert max(shares.values()) < 1.1


@TYPESET
@pytest.mark.parametrize("name", ["comparisons", "claims", "distances"])
def test_a_table_longer_than_a_page_goes_on_and_each_part_fits_one(name, analysis, tmp_path):
    frame = pd.read_csv(analysis / f"{name}.csv")
    pd.concat([frame] * 40, ignore_index=True).to_csv(analysis / f"{name}.csv", index=False)
    tables.render(analysis, tmp_path / "out")
    text = (tmp_path / f"out/{name}.tex").read_text()
    parts = text.count(r"\begin{table}")
    assert parts > 1 and text.count(r"\caption{(continued)}") == parts - 1 and text.count(r"\label{") == 1
    assert fits(typeset(text, tmp_path))


def test_parts_of_a_long_table_keep_every_row_in_its_order():
    rows = [[f"group {i // 50}", f"row {i}"] for i in range(3 * LINES)]
    text = latex(View("caption", ["group", "name"], rows, grouped=True), "label")
    assert re.findall(r"^row \d+", text, re.M) == [name for _, name in rows]
    parts = text.split(r"\begin{table}")[1:]
    assert len(parts) == 4 and max(part.count("row ") for part in parts) < LINES
    assert all(r"\multicolumn{1}{l}{\itshape group" in part for part in parts)  # each part names its group again


def test_a_long_name_stands_in_lines_and_a_short_one_is_whole():
    rows = [[LONGEST, "1.0"], [LONG, "2.0"]]
    text = latex(View("caption", ["arm", f"minus {LONGEST}, new"], rows), "label")
    pieces = ["sft_then_grpo_", "group16_no_kl_", "lr3e5_and_a_", "warmup_of_ten_", "steps_without_an"]
    stacked = r"\\".join(pieces).replace("_", r"\_")
    assert rf"@{{}}}}{stacked}\end{{tabular}} & 1.0" in text and rf"minus\\{stacked}" in text
    assert rf"{LONG.replace('_', chr(92) + '_')} & 2.0" in text


def test_names_in_narrow_columns_may_break_at_their_underscores():
    text = latex(View("caption", ["arm", "said"], [["a_b", f"{LONG} is better"]], {"said": 0.2}), "label")
    assert r"a\_b &" in text and r"a\_\allowbreak{}sft\_\allowbreak{}then" in text
