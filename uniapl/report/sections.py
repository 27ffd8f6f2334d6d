"""What the report says of claims and experiments. Pure, but for reading the figures."""

import base64
import inspect
import re
import struct
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from uniapl.analyse.claims import CONTRADICTED, SUPPORTED, UNDECIDED, UNITS
from uniapl.config.figures import figures_of, needs_of_figures
from uniapl.errors import UserError
from uniapl.report.read import ResultSet, Stored
from uniapl.tables import VIEWS, View, latex
from uniapl.tables.ablations import view_ablations
from uniapl.tables.again import view_again, view_share
from uniapl.tables.beside import view as view_beside
from uniapl.tables.captions import with_source
from uniapl.tables.columns import MISSING
from uniapl.tables.general import view as view_general
from uniapl.tables.hyperparameters import view_arms, view_settings
from uniapl.tables.methods import EXPERIMENT, QUESTION, view_methods
from uniapl.tables.overview import view_paper

VERDICTS = (SUPPORTED, CONTRADICTED, UNDECIDED, MISSING)
TITLES = {
    "claims": "Claims",
    "main": "Prompts followed",
    "summary": "All at once: accuracy, transfer, cost, verdict",
    "comparisons": "Comparisons",
    "distances": "Distances to the expert",
    "diversity": "Diversity",
    "cost": "Cost",
    "transfer": "Transfer to held-out types and topics",
    "aggregate": "All benchmarks at once",
    "nearer": "Nearer to the expert",
    "type_comparisons": "Comparisons by type of instruction",
}
OF_SETS = {  # tables over all experiments, with what shows them
    "beside": ("Your runs against ours", view_beside),
    "general": ("Trained arms beside their base", view_general),
    "again": ("Verdicts with other seeds", view_again),
    "again_share": ("Estimates within the predictions of other seeds", view_share),
    "paper": ("What the paper says", view_paper),
    "ablations": ("Ablations", view_ablations),
    "arms": ("Arms", view_arms),
    "settings": ("Settings", view_settings),
}
OPEN = ("claims", "main", "comparisons")  # shown at once, unless they are long
LONG = 16  # rows
CURVES = "curves"  # the figure that shows whether GRPO, with which a claim compares, had come to its plateau
BY_GRPO = {"grpo", "sft_then_grpo"}  # the arms of that figure that GRPO trains
NUMBER = re.compile(r"\[?-?\d[\d.]*(e[+-]?\d+)?(?=$|[\s\],%])")  # as in script.js, which sorts by it


@dataclass(frozen=True)
class Glyph:
    """The intervals of one claim in a box 120 wide: its margin in the middle, the claimed side `above` or not.

    `points`: positions of the estimate, low and high, and of the interval over seeds; None where there is none.
    """

    above: bool
    estimate: float
    main: tuple[float, float] | None
    seeds: tuple[float, float] | None


@dataclass(frozen=True)
class Mark:
    """What a claim's row has beyond its strings: its experiment, verdict with reason, unit, picture, and whether one of
    its arms is in BY_GRPO."""

    experiment: str
    verdict: str
    reason: str = ""
    unit: str = ""
    glyph: Glyph | None = None
    by_grpo: bool = False


@dataclass(frozen=True)
class Table:
    """A table of the page: `id` is unique; `csv` has all rows and columns, the view the readable ones."""

    id: str
    title: str
    view: View
    csv: str = ""
    marks: tuple[Mark, ...] = ()
    folded: bool = False

    @cached_property  # asked for every cell
    def numeric(self) -> list[bool]:
        """For each column: does every cell that is not blank begin with a number?"""
        columns = [[row[i] for row in self.view.rows if row[i]] for i in range(len(self.view.head))]
        return [bool(cells) and all(map(NUMBER.match, cells)) for cells in columns]

    @property
    def tex(self) -> str:
        return latex(self.view, self.id)


@dataclass(frozen=True)
class Picture:
    """A figure: caption, provenance line, PNG as a data URI, size in pixels."""

    name: str
    caption: str
    source: str
    uri: str
    width: int
    height: int


@dataclass(frozen=True)
class Section:
    """One experiment. `notes`: the paragraphs of its file's docstring after the first, which repeats the question."""

    name: str
    question: str
    expectation: str
    notes: list[str]
    tables: list[Table]
    pictures: list[Picture]
    missing: list[str]


def view(name: str, experiment: str, text: pd.DataFrame) -> View:
    """A table's readable form. Raises UserError where a column of words is absent."""
    try:
        return VIEWS[name](text)
    except (AttributeError, KeyError) as error:
        raise UserError(f"tables/{experiment}/{name}.csv: {error}; run the stage tables again") from error


def table(name: str, experiment: str, stored: Stored, marks: tuple[Mark, ...] = ()) -> Table:
    rendered = view(name, experiment, stored.text)
    folded = name not in OPEN or len(rendered.rows) > LONG
    return Table(f"{experiment}-{name}", TITLES[name], rendered, stored.csv, marks, folded)


def of_set(results: ResultSet, name: str) -> Table | None:
    """A table over all experiments; None where it is not there."""
    if name not in results.overview:
        return None
    stored, (title, view_of) = results.overview[name], OF_SETS[name]
    rendered = view_of(stored.text)
    return Table(name, title, rendered, stored.csv, folded=len(rendered.rows) > LONG)


def methods(results: ResultSet) -> Table | None:
    """Every method of `mixtures` beside SFT then GRPO; None where the set lacks it."""
    stored = results.tables.get(EXPERIMENT, {})
    if not {"summary", "claims"} <= stored.keys():
        return None
    summary = stored["summary"]
    return Table("methods", QUESTION, view_methods(summary.text, stored["claims"].text), summary.csv)


def reaches(claims: pd.DataFrame) -> dict[str, float]:
    """quantity -> how far the farthest bound of any claim about it lies from its margin."""
    far = {}
    for _, row in claims.iterrows():
        ends = [float(row[c]) for c in ("estimate", "low", "high", "seed_low", "seed_high") if row[c]]
        far[row.quantity] = max([far.get(row.quantity, 0.0), *(abs(x - float(row.margin)) for x in ends)])
    return far


def mark(experiment: str, row: pd.Series, reach: float) -> Mark:
    """The mark of one row of claims.csv; `reach` fills half of the glyph's box."""

    def place(column: str) -> float | None:
        return round(60 + 56 * (float(row[column]) - float(row.margin)) / (reach or 1), 1) if row[column] else None

    def pair(low: str, high: str) -> tuple[float, float] | None:
        return (place(low), place(high)) if row[low] and row[high] else None

    reason = row.reason if row.verdict == UNDECIDED else ""
    reason += ("; " if reason else "") + f"changed: {row.changed}" if row.get("changed") else ""
    unit, glyph = UNITS.get(row.quantity, ""), None
    if row.estimate and row.direction != "within":  # the picture has one margin
        above = row.direction == "above"
        glyph = Glyph(above, place("estimate"), pair("low", "high"), pair("seed_low", "seed_high"))
    by_grpo = not BY_GRPO.isdisjoint((row.arm, row.against))
    return Mark(experiment, row.verdict, reason, unit if row.estimate else "", glyph, by_grpo)


def claims(results: ResultSet) -> tuple[Table | None, dict[str, Table]]:
    """The claims of all experiments in one table, those without results last, and of each experiment."""
    stored = {name: t["claims"] for name, t in results.tables.items() if "claims" in t and len(t["claims"].text)}
    every = [s.text.assign(experiment=name) for name, s in stored.items()]
    joined = pd.concat(every, ignore_index=True) if every else pd.DataFrame()
    far, of_each = reaches(joined), {}
    for name, stored_table in stored.items():
        marks = tuple(mark(name, row, far[row.quantity]) for _, row in stored_table.text.iterrows())
        of_each[name] = table("claims", name, stored_table, marks)
    rows, marks = [], []
    for of_experiment in of_each.values():
        rows += of_experiment.view.rows
        marks += of_experiment.marks
    for name in results.runs.extended:
        if "claims" in results.tables.get(name, {}):
            continue
        for claim in results.runs.experiments[name].claims:
            rows.append([claim.id, with_source(claim.sentence, claim.source), "not measured", "", "", "", MISSING])
            marks.append(Mark(name, MISSING, f"no claims table of {name} in this set"))
    if not rows:
        return None, {}
    head = view("claims", "*", joined) if every else View("No claim of this set is measured.", [*HEAD], [])
    overview = View(head.caption, head.head, rows, head.prose)
    return Table("claims", "All claims", overview, joined.to_csv(index=False), tuple(marks)), of_each


HEAD = ("claim", "what it says", "what is measured", "found", "p (Holm)", "seeds", "verdict")


def verdicts(overview: Table | None) -> dict[str, int]:
    """How many claims have each verdict; none that has no claim."""
    counts = Counter(mark.verdict for mark in overview.marks) if overview else {}
    return {verdict: counts[verdict] for verdict in (*VERDICTS, *counts) if counts.get(verdict)}


def sentence(overview: Table | None) -> str:
    """What was found, in words: how many claims have each verdict after Holm's adjustment, and which are decided."""
    counts = verdicts(overview)
    if not counts:
        return ""
    names = {SUPPORTED: [], CONTRADICTED: []}
    for row, mark in zip(overview.view.rows, overview.marks, strict=True):
        if mark.verdict in names:
            names[mark.verdict].append(re.sub(r" (\[[^]]*\].*|\(ours\))$", "", row[1]))
    found = ", ".join(f"{n} {verdict}" for verdict, n in counts.items())
    decided = [f"{verdict.capitalize()}: {'; '.join(claims)}." for verdict, claims in names.items() if claims]
    return " ".join([f"Of {sum(counts.values())} claims, after Holm's adjustment: {found}.", *decided])


def sections(results: ResultSet, figures: Path, of_claims: dict[str, Table]) -> list[Section]:
    """The experiments of the set, in its order, then those that it lacks, without tables."""
    by_experiment: dict[str, list[str]] = {}  # a figure stands with the first of its experiments, once all are there
    for figure in figures_of(results.tables):
        by_experiment.setdefault(needs_of_figures()[figure][0], []).append(figure)
    of_experiments = []
    for name in (*results.tables, *results.missing):
        stored, experiment = results.tables.get(name, {}), results.runs.experiments.get(name)
        missing = [f"tables/{name}/{t}.csv" for t in VIEWS if t not in stored]
        pictures = []
        for figure in by_experiment.get(name, ()):
            path = figures / f"{figure}.png"
            if path.is_file() and path.with_suffix(".txt").is_file():
                pictures.append(picture(path))
            else:
                missing.append(f"figure {figure}.png with its {figure}.txt")
        tables = [of_claims[name]] if name in of_claims else []
        tables += [table(t, name, stored[t]) for t in VIEWS if t in stored and t != "claims"]
        if not experiment:
            missing.append(f"experiments/{name}.py in this checkout, which would state the question")
        of_experiments.append(
            Section(
                name=name,
                question=experiment.question if experiment else "",
                expectation=experiment.expectation if experiment else "",
                notes=notes(name) if experiment else [],
                tables=tables,
                pictures=pictures,
                missing=missing if stored else ["every table: this set has no results of it"],
            )
        )
    return of_experiments


def curves(of_experiments: list[Section]) -> str | None:
    """The experiment with which figure CURVES stands; None where it is not drawn."""
    return next((section.name for section in of_experiments for p in section.pictures if p.name == CURVES), None)


def notes(experiment: str) -> list[str]:
    """The paragraphs of an experiment file's docstring, without its first line."""
    text = inspect.getdoc(sys.modules.get(f"experiments.{experiment}")) or ""
    return [" ".join(part.split()) for part in text.partition("\n")[2].split("\n\n") if part.strip()]


def picture(path: Path) -> Picture:
    """A PNG with the caption beside it. Raises UserError for a file that is none."""
    content, text = path.read_bytes(), path.with_suffix(".txt").read_text(encoding="utf-8")
    if content[:8] != b"\x89PNG\r\n\x1a\n" or len(content) < 24:
        raise UserError(f"{path}: not a PNG file; draw it again: snakemake figures/")
    caption, _, source = text.strip().partition("\n\n")
    width, height = struct.unpack(">II", content[16:24])
    uri = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    return Picture(path.stem, caption, source, uri, width, height)
