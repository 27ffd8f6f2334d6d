"""Your runs against ours: every accuracy and difference of a local set beside the published one of its scale.

`python -m uniapl.tables.beside --local results/local/tiny --published results/published/tiny --out FOLDER` writes
beside.csv, .md and .tex. For each number: both estimates with their 95 % intervals and seeds, the local one minus the
published one, and whether the local estimate lies within the published interval. What one of the two sets lacks is
"missing".
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from uniapl.config import experiment_names
from uniapl.config.names import BENCHMARKS
from uniapl.errors import UserError, one_line_errors
from uniapl.jsonl import read_json
from uniapl.provenance import checksums
from uniapl.tables import View, rounded, write
from uniapl.tables.columns import MISSING

KEY = ["experiment", "quantity", "arm", "against", "benchmark"]
SIDES = ("published", "local")
FOUND = ["estimate", "low", "high", "n_seeds"]
COLUMNS = [*KEY, *(f"{side}_{name}" for side in SIDES for name in FOUND), "difference", "within"]
ACCURACY, DIFFERENCE = "accuracy (%)", "difference (points)"


def numbers(root: Path) -> pd.DataFrame:
    """KEY and FOUND: prompt-level strict accuracy and its differences, greedy decoding.

    Raises UserError for an analysis without the columns.
    """
    frames = []
    for name in experiment_names():
        for table, quantity in (("main", ACCURACY), ("comparisons", DIFFERENCE)):
            path = root / "analyse" / name / f"{table}.csv"
            if path.is_file():
                checksums.check(path)
                frame = pd.read_csv(path).rename(columns={"difference": "estimate"})
                if absent := {"metric", "decoding", "arm", "benchmark", *FOUND} - set(frame.columns):
                    raise UserError(f"{path}: no column {', '.join(sorted(absent))}; run the stage analyse again")
                frame = frame[(frame.metric == "prompt_strict") & (frame.decoding == "greedy")]
                frames.append(frame.assign(experiment=name, quantity=quantity).reindex(columns=[*KEY, *FOUND]))
    if not frames:
        raise UserError(f"{root}/analyse: no main.csv of any experiment; run the stages up to analyse first")
    return pd.concat(frames, ignore_index=True).fillna({"against": ""})


def beside(local: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """COLUMNS: a row per number that either has, of the experiments that both have; missing ones are blank.

    difference: local minus published. within: does the local estimate lie in the published 95 % interval?
    """
    shared = set(local.experiment) & set(published.experiment)
    sides = []
    for side, table in zip(SIDES, (published, local), strict=True):
        names = {name: f"{side}_{name}" for name in FOUND}
        sides.append(table[table.experiment.isin(shared)].rename(columns=names))
    merged = sides[0].merge(sides[1], "outer", KEY, sort=False, validate="1:1")
    there = merged.published_estimate.notna() & merged.local_estimate.notna()
    merged["difference"] = merged.local_estimate - merged.published_estimate
    inside = (merged.local_estimate >= merged.published_low) & (merged.local_estimate <= merged.published_high)
    merged["within"] = inside.map({True: "yes", False: "no"}).where(there, MISSING)
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
        rows.append([f"{row.experiment}, {row.quantity}", what, where, *estimates, row.difference, row.within, seeds])
    in_both = text[text.within != MISSING]
    inside = f"{(in_both.within == 'yes').sum()} of {len(in_both)} local estimates lie within the published interval"
    caption = (
        "Your runs against the published ones: prompt-level strict accuracy, greedy decoding, and differences between "
        "arms, each with its 95 % interval; local minus published; and whether the local estimate lies within the "
        f"published interval: {inside}. Seeds: published / local."
    )
    head = "experiment|arm|benchmark|published|local|local minus published|within|seeds"
    return View(caption, head.split("|"), rows, grouped=True)


def check_data(local: Path, published: Path) -> None:
    """Raise UserError where both say which test prompts they have, and these differ."""
    files = local / "data/summary.json", published / "data.json"
    if all(path.is_file() for path in files):
        digests = [read_json(path, ("sha256",))["sha256"].get("test.jsonl") for path in files]
        if digests[0] != digests[1]:
            raise UserError(f"{files[0]}: other test prompts than {files[1]} has; their scores cannot be compared")


def render(local: Path, published: Path, out: Path) -> None:
    """Write the table in its three formats. Raises UserError, and then writes nothing."""
    check_data(local, published)
    text = rounded("beside", beside(numbers(local), numbers(published)))
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
