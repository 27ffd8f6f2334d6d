"""Your runs against ours: every accuracy and difference of a local set beside the published one of its scale.

`python -m uniapl.tables.beside --local results/local/tiny --published results/published/tiny --out FOLDER` writes
beside.csv, .md and .tex. For each number: both estimates with their 95 % intervals and seeds, the local one minus the
published one, and whether the local estimate lies within the published 95 % prediction interval: a rerun errs as well,
so a confidence interval holds it in 83 % of cases (uniapl/stats/rerun.py). What one of the two sets lacks is "missing".
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from uniapl.analyse.accuracy import PREDICTED
from uniapl.config import experiment_names
from uniapl.config.names import BENCHMARKS
from uniapl.errors import UserError, one_line_errors
from uniapl.jsonl import read_json
from uniapl.provenance import checksums
from uniapl.tables import View, rounded, write
from uniapl.tables.columns import MISSING

KEY = ["experiment", "quantity", "arm", "against", "benchmark"]
SIDES = ("published", "local")
SEEDS = ["n_seeds", "n_seeds_against"]
FOUND = ["estimate", "low", "high", *SEEDS]
PREDICTIONS = [f"published_{name}" for name in PREDICTED]
COLUMNS = [*KEY, *(f"{side}_{name}" for side in SIDES for name in FOUND), "difference", *PREDICTIONS, "within"]
OTHER_SEEDS, NOT_PREDICTED = "other seeds", "not predicted"
NO_PREDICTIONS = (
    "the published set has no prediction intervals, being older than they or of one seed: nothing is judged"
)
ACCURACY, DIFFERENCE = "accuracy (%)", "difference (points)"


def numbers(root: Path) -> pd.DataFrame:
    """KEY, FOUND and PREDICTED: prompt-level strict accuracy and its differences, greedy decoding.

    PREDICTED is blank where an arm has one seed, and of a set that is older than it. Raises UserError for an analysis
    without the other columns.
    """
    frames = []
    for name in experiment_names():
        for table, quantity in (("main", ACCURACY), ("comparisons", DIFFERENCE)):
            path = root / "analyse" / name / f"{table}.csv"
            if path.is_file():
                checksums.check(path)
                frame = pd.read_csv(path).rename(columns={"difference": "estimate"})
                needed = {"metric", "decoding", "arm", "benchmark", *FOUND[:4]}
                if absent := needed - set(frame.columns):
                    raise UserError(f"{path}: no column {', '.join(sorted(absent))}; run the stage analyse again")
                frame = frame[(frame.metric == "prompt_strict") & (frame.decoding == "greedy")]
                columns = [*KEY, *FOUND, *PREDICTED]
                frames.append(frame.assign(experiment=name, quantity=quantity).reindex(columns=columns))
    if not frames:
        raise UserError(f"{root}/analyse: no main.csv of any experiment; run the stages up to analyse first")
    return pd.concat(frames, ignore_index=True).fillna({"against": ""})


def beside(local: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """COLUMNS: a row per number that either has, of the experiments that both have; missing ones are blank.

    difference: local minus published. within: does the local estimate lie in the published 95 % prediction interval?
    That is asked of runs with as many seeds, to which the interval belongs; OTHER_SEEDS says that they have others,
    NOT_PREDICTED that there is none: an arm has one seed, or the published set is older than predictions.
    """
    shared = set(local.experiment) & set(published.experiment)
    sides = []
    for side, table in zip(SIDES, (published, local), strict=True):
        names = {name: f"{side}_{name}" for name in (*FOUND, *PREDICTED)}
        sides.append(table[table.experiment.isin(shared)].rename(columns=names))
    merged = sides[0].merge(sides[1], "outer", KEY, sort=False, validate="1:1")
    there = merged.published_estimate.notna() & merged.local_estimate.notna()
    merged["difference"] = merged.local_estimate - merged.published_estimate
    low, high = (merged[name] for name in PREDICTIONS)
    inside = (merged.local_estimate >= low) & (merged.local_estimate <= high)
    alike = [merged[f"local_{n}"].fillna(0) == merged[f"published_{n}"].fillna(0) for n in SEEDS]
    merged["within"] = inside.map({True: "yes", False: "no"}).where(low.notna(), NOT_PREDICTED)
    merged["within"] = merged.within.where(alike[0] & alike[1], OTHER_SEEDS).where(there, MISSING)
    return merged[COLUMNS]


def view(text: pd.DataFrame) -> View:
    """One row per number, grouped by experiment and quantity."""
    rows = []
    for _, row in text.iterrows():
        what = f"{row.arm} minus {row.against}" if row.against else row.arm
        estimates = []
        for side in SIDES:
            bounds = f" [{row[f'{side}_low']}, {row[f'{side}_high']}]" if row[f"{side}_low"] else ""
            estimates.append(row[f"{side}_estimate"] + bounds or MISSING)
        seeds = " / ".join(row[f"{side}_n_seeds"] or "0" for side in SIDES)
        where = BENCHMARKS.get(row.benchmark, row.benchmark)
        low, high = (row[name] for name in PREDICTIONS)
        judged = [row.difference, f"[{low}, {high}]" if low else "", row.within]
        rows.append([f"{row.experiment}, {row.quantity}", what, where, *estimates, *judged, seeds])
    caption = (
        "Your runs against the published ones: prompt-level strict accuracy, greedy decoding, and differences between "
        "arms, each with its 95 % interval; local minus published; the published 95 % prediction interval, in which 95 "
        f"% of reruns with as many other seeds lie; and whether the local estimate does: {_inside(text)}. Seeds: "
        "published / local."
    )
    head = "experiment|arm|benchmark|published|local|local minus published|predicted|within|seeds"
    return View(caption, head.split("|"), rows, grouped=True)


def _inside(text: pd.DataFrame) -> str:
    """How many local estimates were judged, and how many lie inside; or why none was."""
    if (text[PREDICTIONS[0]] == "").all():
        return NO_PREDICTIONS
    judged = text[text.within.isin(["yes", "no"])]
    inside = f"{(judged.within == 'yes').sum()} of {len(judged)} lie within it"
    reasons = {OTHER_SEEDS: "have another number of seeds than the published ones", NOT_PREDICTED: "have no prediction"}
    counts = {why: (text.within == word).sum() for word, why in reasons.items()}
    return "; ".join([inside, *(f"{n} {why}, and are not judged" for why, n in counts.items() if n)])


def check_data(one: Path, other: Path) -> None:
    """Raise UserError where both say which test prompts they have, and these differ."""
    stated = [(root / "data.json", root / "data/summary.json") for root in (one, other)]  # of published and local sets
    files = [next((path for path in paths if path.is_file()), None) for paths in stated]
    if all(files):
        digests = [read_json(path, ("sha256",))["sha256"].get("test.jsonl") for path in files]
        if digests[0] != digests[1]:
            raise UserError(f"{files[0]}: other test prompts than {files[1]} has; their scores cannot be compared")


def render(local: Path, published: Path, out: Path) -> None:
    """Write the table in its three formats. Raises UserError, and then writes nothing."""
    check_data(local, published)
    text = rounded("beside", beside(numbers(local), numbers(published)))
    if (text[PREDICTIONS[0]] == "").all():
        print(f"{published}: {NO_PREDICTIONS}", file=sys.stderr)
    out.mkdir(parents=True, exist_ok=True)
    write("beside", text, view(text), out, f"{local.name}-beside")


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--local", type=Path, required=True, help="results/local/<scale>")
    parser.add_argument("--published", type=Path, required=True, help="results/published/<scale>")
    parser.add_argument("--out", type=Path, required=True, help="folder for the table")
    args = parser.parse_args(argv)
    render(args.local, args.published, args.out)
    checksums.record(args.out)


if __name__ == "__main__":
    main()
