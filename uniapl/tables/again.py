"""Again, with other seeds: the verdicts of several runs of the same experiments, and how well each predicts the others.

`python -m uniapl.tables.again results/local/tiny results/local/tiny_from5 --out results/local/tiny/again` reads the
analyses of sets that asked the same of disjoint seeds, and writes, each as .csv, .md and .tex,

    again         every claim: its verdict and estimate in each set, and whether a decided verdict is contradicted
    again_share   how many estimates of a set lie within the 95 % prediction intervals of another one

The report of a set shows what is in its folder `again`, and `uniapl publish` takes that folder along, once its rows of
the set are those of the analysis.
"""

import argparse
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from uniapl.analyse.claims import CONTRADICTED, SUPPORTED, WITHDRAWN
from uniapl.config import experiment_names
from uniapl.errors import UserError, one_line_errors
from uniapl.provenance import checksums
from uniapl.tables import View, beside, markdown, rounded, write

CLAIMED = "id sentence estimate low high n_seeds verdict fingerprint".split()
SAID = CLAIMED[1:-1]
ROW = ["experiment", "set", "id", *SAID, "contradicted"]
SHARE = "set predicted_by quantity inside judged share not_judged".split()
NOBODY = "none decided"
FOLDER = "again"  # of a set


@dataclass(frozen=True)
class Analysed:
    """A set of results: its name, its folder, CLAIMED with `experiment`, and (experiment, arm) -> its seeds."""

    name: str
    root: Path
    claims: pd.DataFrame
    seeds: Mapping[tuple[str, str], frozenset[int]]

    @property
    def experiments(self) -> set[str]:
        return {experiment for experiment, _ in self.seeds}


def read(root: Path, name: str) -> Analysed:
    """The analyses under a folder. Raises UserError where there is none, or one without the columns."""
    claims, seeds = [], {}
    for experiment in experiment_names():
        folder = root / "analyse" / experiment
        if (folder / "claims.csv").is_file():
            stated = _read(folder / "claims.csv", CLAIMED)
            claims.append(stated[stated.verdict != WITHDRAWN].assign(experiment=experiment))
            runs = _read(folder / "runs.csv", ["arm", "n_planned", "seeds"])
            once = (runs.n_planned == 1) & (
                runs.n_planned.max() > 1
            )  # one checkpoint that all sets have, such as a base
            for arm, text in runs[~once].set_index("arm").seeds.items():
                seeds[experiment, str(arm)] = (
                    frozenset(map(int, text.split(", "))) if isinstance(text, str) else frozenset()
                )
    if not claims:
        raise UserError(f"{root}/analyse: no claims.csv of any experiment; run the stages up to analyse first")
    return Analysed(name, root, pd.concat(claims, ignore_index=True), seeds)


def _read(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    if not path.is_file():
        raise UserError(f"{path}: no such file; run the stage analyse again")
    checksums.check(path)
    frame = pd.read_csv(path, dtype={"seeds": str})
    if absent := [column for column in columns if column not in frame]:
        raise UserError(f"{path}: no column {', '.join(absent)}; run the stage analyse again")
    return frame[list(columns)]


def check(sets: Sequence[Analysed]) -> list[str]:
    """The experiments that all sets have. Raises UserError, with the reason, for sets that do not repeat each other."""
    if len(sets) < 2:
        raise UserError(
            "needs two sets at least: uniapl again results/local/tiny results/local/tiny_from5 --out FOLDER"
        )
    shared = sorted(set.intersection(*(one.experiments for one in sets)))
    if not shared:
        raise UserError(f"{', '.join(one.name for one in sets)}: no experiment is analysed in all of them")
    for one, other in itertools.combinations(sets, 2):
        for run in sorted(one.seeds.keys() & other.seeds.keys()):
            if common := one.seeds[run] & other.seeds[run]:
                seeds = ", ".join(map(str, sorted(common)))
                raise UserError(
                    f"{one.name}, {other.name}: both have seed {seeds} of {run[1]}; name sets of other seeds"
                )
        beside.check_data(one.root, other.root)
    for name in shared:
        stated = [_fingerprints(one, name) for one in sets]
        for one, prints in zip(sets[1:], stated[1:], strict=True):
            for claim in sorted(stated[0].keys() | prints.keys()):
                if stated[0].get(claim) != prints.get(claim):
                    raise UserError(
                        f"{sets[0].name}, {one.name}: claim {claim} of {name} says something else in each, or is in "
                        "one alone; analyse both with the same experiments/"
                    )
    return shared


def _fingerprints(one: Analysed, experiment: str) -> dict[str, str]:
    of_experiment = one.claims[one.claims.experiment == experiment]
    return dict(zip(of_experiment.id, of_experiment.fingerprint, strict=True))


def verdicts(sets: Sequence[Analysed], experiments: Sequence[str]) -> pd.DataFrame:
    """ROW: a row per claim and set. contradicted: `yes` where one set supports the claim and another contradicts it,
    NOBODY where no set decides."""
    joined = pd.concat([one.claims.assign(set=one.name) for one in sets], ignore_index=True)
    joined = joined[joined.experiment.isin(experiments)]
    decided = joined[joined.verdict.isin([SUPPORTED, CONTRADICTED])].groupby(["experiment", "id"]).verdict.nunique()
    found = [decided.get((row.experiment, row.id), 0) for row in joined.itertuples()]
    order = {id: place for place, id in enumerate(dict.fromkeys(joined.id))}
    joined = joined.assign(contradicted=[{0: NOBODY, 1: "no"}.get(n, "yes") for n in found])
    place = joined.experiment.map(list(experiments).index) * len(order) + joined.id.map(order)
    return joined.assign(place=place).sort_values("place", kind="stable", ignore_index=True)[ROW]


def shares(sets: Sequence[Analysed], experiments: Sequence[str]) -> pd.DataFrame:
    """SHARE: of each set and each other one that predicts it, by quantity: estimates inside, judged, and not judged,
    because an arm has one seed or another number of seeds; share: inside of judged, in %."""
    numbers = {one.name: beside.numbers(one.root) for one in sets}
    rows = []
    for one, other in itertools.permutations(sets, 2):
        held = beside.beside(numbers[one.name], numbers[other.name])
        held = held[held.experiment.isin(experiments)]
        for quantity, within in held.groupby("quantity").within:
            inside, judged = (within == "yes").sum(), within.isin(["yes", "no"]).sum()
            share = 100 * inside / judged if judged else None
            rows.append((one.name, other.name, quantity, inside, judged, share, len(within) - judged))
    return pd.DataFrame(rows, columns=SHARE)


def view_again(text: pd.DataFrame) -> View:
    """A row per claim, a column per set."""
    names, rows = list(dict.fromkeys(text.set)), []
    for (experiment, id), of_claim in text.groupby(["experiment", "id"], sort=False):
        by_set = of_claim.set_index("set")
        first, cells = of_claim.iloc[0], []
        for name in names:
            row = by_set.loc[name]
            bounds = f" [{row.low}, {row.high}]" if row.low else ""
            cells.append(row.verdict + (f": {row.estimate}{bounds}" if row.estimate else ""))
        rows.append([experiment, f"{id}: {first.sentence}", *cells, first.contradicted])
    claims = text.drop_duplicates(["experiment", "id"])
    counts = [f"{(claims.contradicted == word).sum()} {what}" for word, what in WORDS.items()]
    seeds = "; ".join(f"{name}: {_span(text.n_seeds[text.set == name])}" for name in names)
    caption = (
        "Again, with other seeds: the verdict on every claim after Holm's adjustment in each set, and its estimate "
        f"with 95 % interval, in the unit of the claim. Of {len(claims)} claims {', '.join(counts)}. Seeds per arm: "
        f"{seeds}."
    )
    prose = {"claim": 0.3} | dict.fromkeys(names, 0.5 / len(names))
    return View(caption, ["experiment", "claim", *names, "contradicted"], rows, prose, grouped=True)


WORDS = {
    "yes": "are supported by one set and contradicted by another",
    "no": "are decided in one set at least, and no other set decides the opposite",
    NOBODY: "are decided in none",
}


def _span(numbers: pd.Series) -> str:
    values = sorted({int(n) for n in numbers})
    return f"{values[0]}" if len(values) == 1 else f"{values[0]} to {values[-1]}"


def view_share(text: pd.DataFrame) -> View:
    """A row per pair of sets and quantity."""
    rows = [
        [f"{row.set} in {row.predicted_by}", row.quantity, row.share, f"{row.inside} of {row.judged}", row.not_judged]
        for row in text.itertuples()
    ]
    caption = (
        "How many estimates of one set lie within the 95 % prediction intervals of another, prompt-level strict "
        "accuracy and differences, greedy decoding: 95 % are expected. The estimates of a set share its arms and "
        "seeds, so a share varies far more than that of as many separate reruns would. Not judged: an arm has one "
        "seed, or the sets have another number of seeds."
    )
    return View(
        caption, ["set in predictions of", "quantity", "inside (%)", "estimates", "not judged"], rows, grouped=True
    )


VIEWS = {"again": view_again, "again_share": view_share}


def again(roots: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Name -> table of VIEWS, unrounded. Raises UserError like `read` and `check`.

    A set is called as its folder, which is its scale; by the whole path where two folders have one name.
    """
    alike = len({root.name for root in roots}) < len(roots)
    sets = [read(root, str(root) if alike else root.name) for root in roots]
    experiments = check(sets)
    return {"again": verdicts(sets, experiments), "again_share": shares(sets, experiments)}


def outdated(root: Path, name: str) -> Iterator[str]:
    """A line for each claim of which the table `again` in this set's folder says something else than its analysis.

    name: what the table calls the set.
    """
    path = root / FOLDER / "again.csv"
    stated = pd.read_csv(path, dtype=str, keep_default_na=False)
    experiments = sorted(set(stated.experiment))
    now = rounded("again", verdicts([read(root, name)], experiments)).set_index(["experiment", "id"])
    own = stated[stated.set == name].set_index(["experiment", "id"])
    for experiment, claim in now.index.union(own.index):
        row = experiment, claim
        said, says = (" ".join(table.loc[row, SAID]) if row in table.index else "nothing" for table in (own, now))
        if said != says:
            yield f"{path}: claim {claim} of {experiment} in {name}: {said!r}, the analysis says {says!r}"


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path, nargs="+", help="folders with results of one scale, of disjoint seeds")
    parser.add_argument("--out", type=Path, required=True, help="folder for the tables")
    args = parser.parse_args(argv)
    tables = {name: rounded(name, table) for name, table in again(args.sets).items()}
    args.out.mkdir(parents=True, exist_ok=True)
    for name, text in tables.items():
        write(name, text, VIEWS[name](text), args.out, name)
        print(markdown(VIEWS[name](text)))
    checksums.record(args.out)


if __name__ == "__main__":
    main()
