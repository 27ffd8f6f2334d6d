"""Verify a published set: `python -m uniapl.publish.verify results/published/tiny`.

Every file has the SHA-256 of the manifest and none is extra; the analyses follow from the published rows, as do the
measures of a run among these that need no text, and the tables follow from the analyses, computed again by this code,
cell by cell. Every difference is one line that names file, row and column; with any, the exit code is 1. Numbers may
differ by a billionth of their size: machines round differently.
The manifest names the experiments that have analyses, and says of the runs what their cards say. `logprobs.csv`, the
histogram of single tokens, and the record of how claims were first stated have their hash alone; any other file that
is not computed is named. The verdicts with other seeds in `again/` must say of this set what its analysis says; what
they say of the others has its hash alone. Of a partial set (partial.py), files, cards and what is missing are checked,
and how much of it there is, is said.
"""

import argparse
import math
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from uniapl import tables
from uniapl.analyse import DIGITS, SEED, from_rows, plan_of
from uniapl.analyse.stated import LOCK, recorded_statements
from uniapl.config import Experiment, Scale, load_experiment, load_scale
from uniapl.config.repository import repository_of
from uniapl.errors import UserError, one_line_errors
from uniapl.jsonl import read_json, read_jsonl
from uniapl.publish import partial
from uniapl.publish import rows as evidence
from uniapl.publish.files import contradictions, of_cards
from uniapl.tables import again, general, overview

TOLERANCE = 1e-9  # of a number's size
COPIED = ("logprobs.csv", LOCK)  # from the run's analysis: what they follow from is not published
MANIFEST = ("id", "scale", "commit", "experiments", "versions", "sha256")


def _same(a: str, b: str) -> bool:
    try:
        return a == b or math.isclose(float(a), float(b), rel_tol=TOLERANCE)
    except ValueError:
        return False


def different_cells(path: Path, computed: Path) -> Iterator[str]:
    """A line for each cell of a published CSV that is not the computed one, or one line where the shapes differ."""
    if not path.is_file():
        yield f"{path}: does not exist, and can be computed"
        return
    stored, fresh = (pd.read_csv(p, dtype=str, keep_default_na=False) for p in (path, computed))
    if list(stored.columns) != list(fresh.columns) or len(stored) != len(fresh):
        shape = "{} rows of {}".format
        yield f"{path}: {shape(len(stored), ', '.join(stored))}; computed {shape(len(fresh), ', '.join(fresh))}"
        return
    for column in stored:
        for row, (a, b) in enumerate(zip(stored[column], fresh[column], strict=True), start=1):
            if not _same(a, b):
                yield f"{path}: row {row} ({stored.iloc[row - 1, 0]}), column {column}: {a!r}, computed {b!r}"


def different_measures(path: Path, stored: pd.DataFrame, fresh: pd.DataFrame) -> Iterator[str]:
    """A line for each measure of a run (measures.by_seed) that is not what pairs and history say."""
    names = ["quantity", "arm", "seed", "variable"]
    a, b = (
        frame.map(str).melt(names[:3], value_name="held").set_index(names).held.to_dict() for frame in (stored, fresh)
    )
    for cell in a | b:
        said, says = (of.get(cell, "nothing") for of in (a, b))
        if not _same(said, says):
            yield "{}: {} of {}/seed{}, column {}: {!r}, computed {!r}".format(path, *cell, said, says)


def different_lines(path: Path, computed: Path) -> Iterator[str]:
    """A line for the first difference of two texts."""
    stored, fresh = (p.read_text(encoding="utf-8").splitlines() if p.is_file() else [] for p in (path, computed))
    for number, (a, b) in enumerate(zip([*stored, ""], [*fresh, ""], strict=False), start=1):
        if a != b:
            yield f"{path}:{number}: {', computed '.join(map(repr, around_the_difference(a, b)))}"
            return


def around_the_difference(a: str, b: str, width: int = 60) -> tuple[str, str]:
    """The parts of two different lines, at most `width` characters each, that begin shortly before they differ."""
    same = len(os.path.commonprefix([a, b]))
    start = max(0, same - width // 2) if max(len(a), len(b)) > width else 0
    return a[start : start + width], b[start : start + width]


def analyse_from_rows(
    out: Path, experiment: Experiment, scale: Scale, rows: evidence.Evidence, cards: dict, stated: dict
) -> None:
    """Write the analysis of an experiment to `out`, from published rows and cards by (arm, seed)."""
    plan = plan_of(experiment, scale, stated)
    pairs, by_seed = (evidence.rows_of_runs(frame, plan.seeds) for frame in (rows.pairs, rows.by_seed))
    inputs = rows.inputs(plan.seeds, cards)
    out.mkdir(parents=True, exist_ok=True)
    for name, table in from_rows(inputs, pairs, by_seed, plan, rng=np.random.default_rng(SEED)).items():
        table.to_csv(out / f"{name}.csv", index=False, float_format=DIGITS)


def differences(folder: Path, manifest: dict, sets: Path | None = None) -> Iterator[str]:
    """All that is not as the manifest, the rows and this code say, a line each. `sets`: as in `overview.render`."""
    yield from contradictions(folder, manifest)
    yield from contents(folder, manifest)
    stored, scale = evidence.read(folder / "rows"), load_scale(manifest["scale"])
    rows = evidence.again(stored)
    yield from different_measures(folder / "rows/by_seed.parquet", stored.by_seed, rows.by_seed)
    cards = {(card["arm"], card["seed"]): card for card in read_jsonl(folder / "runs.jsonl")}
    for number, experiment in enumerate(manifest["experiments"], start=1):
        print(f"computing {experiment}, {number} of {len(manifest['experiments'])} experiments", file=sys.stderr)
        with tempfile.TemporaryDirectory() as temporary:
            out, published = Path(temporary), folder / "analyse" / experiment
            analyse_from_rows(
                out / "analyse", load_experiment(experiment), scale, rows, cards, recorded_statements(published)
            )
            tables.render(published, out / "tables")
            for stage in ("analyse", "tables"):
                yield from _compare(folder / stage / experiment, out / stage)
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary)
        overview.render(folder, scale, out / "overview", sets, manifest["experiments"])
        if (folder / general.PUBLISHED).is_file():  # older sets have none
            general.render(pd.read_parquet(folder / general.PUBLISHED), scale.name, out / "general")
        for group in sorted(out.iterdir()):
            yield from _compare(folder / group.name, group)
    if (folder / again.FOLDER).is_dir():
        yield from again.outdated(folder, scale.name)


def contents(folder: Path, manifest: dict) -> Iterator[str]:
    """A line for what the manifest says of run cards and they do not, and for each experiment that it does not name."""
    for name, said in of_cards(read_jsonl(folder / "runs.jsonl")).items():
        if manifest.get(name) != said:
            yield f"{folder / 'manifest.json'}: {name}: not what runs.jsonl says"
    for stage in ("analyse", "tables"):
        for name in sorted({path.name for path in (folder / stage).glob("*")} - {*manifest["experiments"]}):
            yield f"{folder / stage / name}: is no experiment of the manifest"


def read_manifest(folder: Path) -> dict:
    """The manifest of a published set. Raises UserError where the folder has none, or one that lacks a key."""
    if not (folder / "manifest.json").is_file():
        if (folder / "train").is_dir():
            raise UserError(f"{folder}: is a run, not a published set: uniapl publish --scale {folder.name} first")
        raise UserError(f"{folder / 'manifest.json'}: no such file; name a folder like results/published/tiny")
    return read_json(folder / "manifest.json", MANIFEST)


def _compare(published: Path, computed: Path) -> Iterator[str]:
    """A line for each difference between a published folder and the files that were computed for it."""
    for name in sorted({path.name for path in published.glob("*")} - {path.name for path in computed.iterdir()}):
        if name not in COPIED:
            yield f"{published / name}: is not computed from the rows"
    for path in sorted(computed.iterdir()):
        compare = different_cells if path.suffix == ".csv" else different_lines
        yield from compare(published / path.name, path)


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="results/published/<scale>")
    folder = parser.parse_args(argv).folder
    is_partial = (folder / partial.MANIFEST).is_file()
    manifest = read_json(folder / partial.MANIFEST, partial.KEYS) if is_partial else read_manifest(folder)
    n_differences = 0
    with repository_of(folder):
        for line in (partial.differences if is_partial else differences)(folder, manifest):
            n_differences += 1
            print(line, file=sys.stderr)
    if n_differences:
        print(f"{folder}: {n_differences} differences from {manifest['id']}", file=sys.stderr)
        sys.exit(1)
    if is_partial:
        print(f"{manifest['id']}: {len(manifest['sha256'])} files as published; {partial.said(manifest)}")
        return
    files, experiments = len(manifest["sha256"]), len(manifest["experiments"])
    print(f"{manifest['id']}: {files} files as published; analyses and tables of {experiments} experiments follow")


if __name__ == "__main__":
    main()
