"""One look for every figure: palette, labels, readers, and files that depend on nothing but the data."""

import argparse
import hashlib
import io
import math
import re
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import matplotlib
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure, FigureBase

from uniapl import provenance
from uniapl.config.names import BENCHMARKS
from uniapl.errors import UserError, one_line_errors
from uniapl.jsonl import read_json
from uniapl.provenance import checksums

TWO_COLUMNS = 7.0  # print width, inches
DPI = 300


class Look(NamedTuple):
    """How an arm is drawn, everywhere."""

    colour: str
    marker: str
    line: str | tuple = "-"


# Okabe and Ito (2008). Of its sets of four colours, that of sft, grpo, sft_then_grpo and uniapl, with grey
# and black, keeps the worst pair furthest apart under normal, protan, deutan and tritan sight. A family of arms
# shares a colour; its members differ in marker and line: the adversarial and chained arms that of the arm they
# extend, whatever varies one setting of UniAPL that of UniAPL, a switch between two losses that of the pipeline.
GREY, SKY, ORANGE, BLUE, GREEN, PINK, VERMILION = (
    *("#808080", "#56B4E9", "#E69F00", "#0072B2", "#009E73", "#CC79A7", "#D55E00"),
)
LOOKS = {
    "base": Look(GREY, "v", (0, (1, 1))),
    "sft": Look(SKY, "s", (0, (4, 1))),
    "sft_control": Look(SKY, "X", (0, (6, 2))),
    "a_sft": Look(SKY, "p", (0, (1, 2))),
    "grpo": Look(ORANGE, "^", (0, (3, 1, 1, 1))),
    "a_grpo": Look(ORANGE, "<", (0, (1, 2))),
    "grpo_reward_shaped": Look(ORANGE, "d", (0, (6, 2))),
    "sft_then_grpo": Look(BLUE, "D", (0, (6, 1, 1, 1))),
    "sft_then_a_grpo": Look(BLUE, "h", (0, (1, 2))),
    "sft_control_then_a_grpo": Look(BLUE, "X", (0, (3, 1, 1, 1))),
    "a_sft_then_a_grpo": Look(BLUE, ">", (0, (2, 2))),
    "chord": Look(GREEN, "P"),
    "luffy": Look(PINK, "X"),
    "adv_only": Look("#882255", "8", (0, (4, 1, 1, 1))),
    "switch_10": Look(BLUE, "v", (0, (5, 3))),
    "switch_25": Look(BLUE, "^", (0, (8, 2))),
    "switch_50": Look(BLUE, "o", (0, (3, 3))),
    "switch_75": Look(BLUE, "s", (0, (4, 1, 2, 1))),
    "lambda_003": Look(VERMILION, "v", (0, (1, 2))),
    "lambda_03": Look(VERMILION, "^", (0, (4, 1))),
    "lambda_1": Look(VERMILION, "s", (0, (6, 1, 1, 1))),
    "mu_constant": Look(VERMILION, "<", (0, (2, 2))),
    "mu_phi": Look(VERMILION, ">", (0, (6, 2))),
    "mu_warmup": Look(VERMILION, "p", (0, (3, 1, 1, 1))),
    "d_cotrained": Look(VERMILION, "D", (0, (8, 2))),
    "d_random": Look(VERMILION, "X", (0, (1, 1))),
    "d_length": Look(VERMILION, "h", (0, (3, 3))),
    "eps_low": Look("#332288", "d", (0, (5, 3))),
    "eps_high": Look("#AA4499", "H", (0, (4, 1, 2, 1))),
    "eps_far": Look(GREY, "s", (0, (2, 1))),
    "uniapl": Look(VERMILION, "o"),
    "expert": Look("#000000", "*"),
}
LAST = ("uniapl", "expert")
VARIANT = re.compile(r"(.+)_(d\d+|noise\d+|biased)")  # other demonstrations of an arm: it keeps its look
TOL_MUTED = ("#999933", "#44AA99", "#117733", "#661100", "#6699CC")
OTHERS = [Look(c, m, d) for m, d in (("d", (0, (5, 2))), ("H", (0, (2, 1))), ("8", (0, (8, 2)))) for c in TOL_MUTED]
NAMES = {"sft": "SFT", "grpo": "GRPO", "uniapl": "UniAPL", "chord": "CHORD", "luffy": "LUFFY"}
NAMES |= {"srft": "SRFT", "dft": "DFT", "psft": "PSFT", "sdft": "SDFT", "gad": "GAD"}
NAMES |= {"hpt": "HPT", "relift": "ReLIFT", "trapo": "TRAPO", "trsft": "TrSFT"}
NAMES |= {"mu": "μ", "eps": "ε"}
LABELS = {  # of arms whose name does not say it
    "grpo_reward_shaped": "GRPO, shaped reward",
    "adv_only": "adversarial only",
    "sft_control": "SFT (control)",
    "sft_control_then_a_grpo": "SFT (control)→A-GRPO",
    "adversarial_reward": "co-trained reward",
    "rl_plus": "RL-PLUS",
    "prefix_rft": "Prefix-RFT",
    "sft_plateau": "SFT to its plateau",
    "sft_plateau_then_grpo": "SFT to its plateau→GRPO",
    "srft_plus": "SRFT, sign of its code",
    "lambda_003": "λ 0.03",
    "lambda_03": "λ 0.3",
    "lambda_1": "λ 1",
    "mu_phi": "μ per token (φ)",
    "d_cotrained": "co-trained discriminator",
    "d_random": "random discriminator",
    "d_length": "length as discriminator",
    **{f"switch_{share}": f"SFT {share} %→GRPO" for share in (10, 25, 50, 75)},
}
ABOVE = {  # keywords of a number above a marker: in front of the grid, behind the intervals
    "xytext": (0, 4.5),
    "textcoords": "offset points",
    "ha": "center",
    "zorder": 1.5,
    "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 0.2},
}


def look(arm: str) -> Look:
    """The fixed look of a known arm and its variants; another's follows from its name alone, so figures agree."""
    return LOOKS.get(method(arm)) or OTHERS[hashlib.sha256(arm.encode()).digest()[0] % len(OTHERS)]


def method(arm: str) -> str:
    """The arm without what its name says about demonstrations: uniapl_d96 and uniapl_biased are uniapl."""
    variant = VARIANT.fullmatch(arm)
    return variant[1] if variant else arm


def label(arm: str) -> str:
    """The arm's name in print: sft_then_a_grpo is SFT→A-GRPO, uniapl_d96 is UniAPL (96 demonstrations)."""
    if arm in LABELS:
        return LABELS[arm]
    if (variant := VARIANT.fullmatch(arm)) and (number := re.sub(r"\D", "", variant[2])):
        what = f"{number} % noise" if "noise" in variant[2] else f"{number} demonstrations"
        return f"{label(variant[1])} ({what})"
    stages = [("A-", s[2:]) if s.startswith("a_") else ("", s) for s in arm.split("_then_")]
    return "→".join(prefix + " ".join(NAMES.get(w, w) for w in name.split("_")) for prefix, name in stages)


def fold(text: str, width: int = 30) -> str:
    """A text in lines of at most `width` letters, beside its own ends of lines."""
    return "\n".join(textwrap.fill(line, width) for line in text.split("\n"))


def wrapped(arm: str, width: int = 26) -> str:
    """`label` in lines of at most `width` letters: a name of 70 letters must leave room for what it names."""
    return fold(label(arm), width)


def lines(texts: Iterable[str]) -> int:
    """The lines of the text that has most."""
    return max((text.count("\n") + 1 for text in texts), default=1)


def row_height(labels: Iterable[str], usual: float) -> float:
    """Inches of a row beside which one of the labels stands, `usual` where each has one line."""
    most = lines(labels)
    return max(usual, 0.12 * most + 0.08) if most > 1 else usual


def legend_columns(labels: Iterable[str], symbol: float = 0.55) -> int:
    """How many of the labels, at most 5, fit beside one another with their symbols (inches each)."""
    longest = max(len(line) for text in labels for line in text.split("\n"))
    return max(1, min(5, int(TWO_COLUMNS / (symbol + 0.058 * longest))))


def legend_height(labels: Iterable[str], columns: int) -> float:
    """Inches of a legend above the panels that has the labels in so many columns."""
    labels = list(labels)
    return row_height(labels, 0.2) * -(-len(labels) // columns)


def in_order(arms: Iterable[str]) -> list[str]:
    """The distinct arms: known ones as in LOOKS, then unknown ones by name, UniAPL and the expert last."""
    order = list(LOOKS)
    return sorted(set(arms), key=lambda arm: (arm in LAST, order.index(arm) if arm in order else len(order), arm))


def benchmarks(table: pd.DataFrame) -> list[str]:
    """The distinct benchmarks: known ones as in BENCHMARKS, then the others as they come."""
    present = list(dict.fromkeys(table.benchmark))
    return [b for b in BENCHMARKS if b in present] + [b for b in present if b not in BENCHMARKS]


def benchmark(name: str) -> str:
    """A benchmark's name in print."""
    return BENCHMARKS.get(name, name.replace("_", " "))


def figure(width: float, height: float) -> Figure:
    """An empty figure in print style, in inches. Resets matplotlib: a user's matplotlibrc has no say."""
    matplotlib.rcdefaults()
    matplotlib.rc("font", family="DejaVu Sans", size=7.5)  # ships with matplotlib: the same glyphs everywhere
    matplotlib.rc("axes", titlesize=7.5, labelsize=7.5, linewidth=0.6, axisbelow=True)
    matplotlib.rc("figure", labelsize=7.5)
    matplotlib.rc("axes.spines", top=False, right=False)
    matplotlib.rc(("xtick", "ytick"), labelsize=7)
    matplotlib.rc(("xtick.major", "ytick.major"), size=2.5, width=0.6)
    matplotlib.rc("grid", color="#DDDDDD", linewidth=0.5)
    matplotlib.rc("legend", fontsize=7.5, frameon=False)
    matplotlib.rc("lines", linewidth=1.2, markersize=4)
    matplotlib.rc("pdf", fonttype=42)  # TrueType: text stays text
    return Figure(figsize=(width, height), dpi=DPI, layout="constrained")


def panels(fig: FigureBase, n: int, widest: int, **share) -> list:
    """`n` axes in reading order, in as few rows of at most `widest` as possible; spare cells are empty."""
    rows = math.ceil(n / widest)
    axes = list(fig.subplots(rows, math.ceil(n / rows), squeeze=False, **share).flat)
    for spare in axes[n:]:
        spare.set_axis_off()
    return axes[:n]


def analysis(results: Path, experiment: str = "headline") -> Path:
    """The folder with the CSV files of one experiment's analysis."""
    return results / "analyse" / experiment


def read(path: Path, words: Iterable[str], numbers: Iterable[str], **values: str) -> pd.DataFrame:
    """The rows of a CSV where each `values` column has that value. UserErrors name file and column."""
    if not path.is_file():
        raise UserError(f"{path}: no such file; run the analysis of this set first")
    try:
        checksums.check(path)
        table = pd.read_csv(path, dtype=dict.fromkeys([*words, *values], str))
    except (pd.errors.EmptyDataError, pd.errors.ParserError) as error:
        raise UserError(f"{path}: not a CSV file: {error}") from error
    for column in (*words, *values, *numbers):
        if column not in table:
            raise UserError(f"{path}: no column {column!r}; it has {', '.join(table.columns)}")
    for column in numbers:
        if len(table) and not pd.api.types.is_numeric_dtype(table[column]):
            raise UserError(f"{path}: column {column!r} holds something that is not a number")
    for column, value in values.items():
        table = table[table[column] == value]
    if table.empty:
        raise UserError(f"{path}: no rows" + "".join(f" with {c} {v!r}" for c, v in values.items()))
    return table


def first_of(values: Iterable[str], preferred: str) -> str:
    """`preferred` where it occurs, otherwise the first value in alphabetical order."""
    return preferred if preferred in set(values) else min(values)


def span(values: Iterable[float]) -> str:
    """One number where all are equal, otherwise `low to high`."""
    low, high = min(values), max(values)
    return f"{low:,.0f}" if low == high else f"{low:,.0f} to {high:,.0f}"


def with_sign(value: float) -> str:
    """One decimal with its sign, a true minus."""
    return f"{value:+.1f}".replace("-", "−")


def one_or_each(per_arm: pd.Series) -> str:
    """The most frequent value, then the arms with another one: `5 (base: 1)`."""
    most = per_arm.mode().max()
    odd = [f"{label(arm)}: {per_arm[arm]}" for arm in in_order(per_arm.index) if per_arm[arm] != most]
    return f"{most}" + (f" ({'; '.join(odd)})" if odd else "")


def seeds(table: pd.DataFrame) -> str:
    """`seeds per arm: 5 (base: 1)`, from the column n_seeds."""
    return f"seeds per arm: {one_or_each(table.groupby('arm').n_seeds.max())}"


def methods(table: pd.DataFrame) -> str:
    """How the intervals were made, from the column method."""
    return one_or_each(table.groupby("arm").method.agg(lambda column: " or ".join(sorted(set(column)))))


def prompts(table: pd.DataFrame) -> str:
    """`prompts: trained types 512, ...`, from the column n_prompts."""
    n = table.groupby("benchmark").n_prompts
    return "prompts: " + ", ".join(f"{benchmark(b)} {span(n.get_group(b))}" for b in benchmarks(table))


def title(name: str, table: pd.DataFrame, gap: str = " ") -> str:
    """`trained types (n = 512)`, from the column n_prompts of a benchmark's rows: the title of one of three panels."""
    return fold(f"{benchmark(name)}{gap}(n = {span(table.n_prompts)})")


def more_than_one_line(titles: Iterable[str]) -> float:
    """Inches that panels need above them beyond the first line of their titles."""
    return 0.11 * (lines(titles) - 1)


def commit(results: Path) -> str:
    """The commit in the manifest.json of a set of results, or the checkout's where it has none."""
    path = results / "manifest.json"
    return str(read_json(path).get("commit", "unknown")) if path.is_file() else provenance.commit()


def save(fig: Figure, out: str, caption: str, results: Path, tables: Iterable[Path]) -> None:
    """Write <out>.pdf, .png and .txt, with the CSVs' SHA-256 and the commit inside, without dates.

    The canvases are called directly, after one layout: `savefig` would draw and lay out twice per format.
    """
    data = hashlib.sha256(b"".join(path.read_bytes() for path in tables)).hexdigest()
    source = f"data sha256 {data}; commit {commit(results)}"
    fig.get_layout_engine().execute(fig)
    fig.set_layout_engine("none")
    png, pdf = io.BytesIO(), io.BytesIO()
    FigureCanvasAgg(fig).print_png(png, metadata={"Source": source})
    FigureCanvasPdf(fig).print_pdf(pdf, metadata={"Subject": source, "CreationDate": None})
    text = f"{' '.join(caption.split())}\n\n{source}\n"
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    for suffix, content in ((".png", png.getvalue()), (".pdf", pdf.getvalue()), (".txt", text.encode())):
        Path(out + suffix).write_bytes(content)


@one_line_errors
def main(draw: Callable[[Path], tuple[Figure, str, list[Path]]]) -> None:
    """The command line of every figure. `draw(results)` returns figure, caption and the CSVs it read."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--results", type=Path, required=True, help="results of one scale, named like it")
    parser.add_argument("--out", required=True, help="path of the outputs without suffix")
    args = parser.parse_args()
    fig, caption, tables = draw(args.results)
    save(fig, args.out, caption, args.results, tables)
