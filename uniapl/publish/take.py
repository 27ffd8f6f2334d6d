"""Continue a run on another machine: `uniapl take results/published/NAME` takes the trainings of a partial set as done.

Into results/local/NAME go cards, histories, responses and scores, with times at which Snakemake finds them up to date:
`snakemake` then trains and evaluates what is left, and the tables are those of an undivided run. Weights are not
published: `model/` of a training that was taken holds only taken.json. So a training is left out whose weights are
needed by another that is not done, and one whose evaluation the set does not have. Of these, what the others start from
must be there before they are taken, or Snakemake would train them again: the command names the targets to make first,
and is called again.

Refused are a set of other settings or another code than this checkout's, and other data than results/local has.
"""

import argparse
import gzip
import json
import os
import shutil
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from uniapl.config import load_scale
from uniapl.config.card import read_card
from uniapl.config.repository import check_results, mark_results
from uniapl.config.runs import Runs
from uniapl.errors import UserError, one_line_errors
from uniapl.models.checkpoints import TAKEN
from uniapl.provenance import checksums, same_training_code
from uniapl.publish.files import check_card
from uniapl.publish.partial import (
    TRAINED,
    Training,
    answered,
    batches_of,
    done_file,
    evaluated,
    is_evaluated,
    name_of,
    read_partial,
    wanted,
)
from uniapl.publish.publish import clean_commit


def start_of(runs: Runs, training: Training) -> Training | None:
    """The training whose weights this one starts from."""
    start = runs.run(*training).start
    return (start.arm, start.seed) if start else None


def needs(runs: Runs, training: Training) -> set[Training]:
    """The trainings whose weights this one reads: its start; after the base, also the base and the discriminator."""
    start = start_of(runs, training)
    return {start, *((run.arm, run.seed) for run in runs.shared_at(training[1]))} if start else set()


def takeable(runs: Runs, complete: set[Training], here: set[Training]) -> set[Training]:
    """Which of the `complete` trainings of a set can be taken: no other needs their weights that is neither taken nor
    done `here`, and every evaluation that their checkpoints are part of can be taken whole."""
    taken = complete - here
    while True:
        left = wanted(runs) - taken - here
        bases = {(run.arm, run.seed) for _, seed in left for run in [runs.run("base", seed)]}
        needed = set().union(*(needs(runs, training) for training in left), bases)
        kept = {
            (arm, seed)
            for arm, seed in taken - needed
            if all((arm, other) in taken for _, seeds in batches_of(runs, (arm, seed)) for other in seeds)
        }
        if kept == taken:
            return taken
        taken = kept


def first_to_make(runs: Runs, taken: set[Training], here: set[Training]) -> list[Training]:
    """The trainings that must be done here before these are taken, since Snakemake would train these again after
    them."""
    before, todo = set(), list(taken)
    while todo:
        for training in needs(runs, todo.pop()) - taken - here - before:
            before.add(training)
            todo.append(training)
    return sorted(before)


def draws_to_make(runs: Runs, taken: Iterable[Training], root: Path) -> list[Path]:
    """The summaries of the data that these trainings read and `root` lacks: Snakemake would make them, and then train
    again."""
    read = {root / runs.data_of(seed) / "summary.json" for _, seed in taken}
    return sorted(path for path in read if not path.is_file())


def take_data(folder: Path, data: Path) -> None:
    """Write the set's data, or hold those that are there against it. Raises UserError."""
    said = (folder / "data.json").read_bytes()
    if (data / "summary.json").is_file():
        if (data / "summary.json").read_bytes() != said:
            raise UserError(
                f"{data / 'summary.json'}: is not {folder}/data.json: trainings on other data are not taken"
            )
        return
    if not (folder / "data").is_dir():
        raise UserError(
            f"{data}: make the data first, which every machine draws alike: snakemake --cores all --config "
            f"scale={data.parent.name} {data}/summary.json"
        )
    data.mkdir(parents=True)
    for path in sorted((folder / "data").glob("*.gz")):
        (data / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    (data / "summary.json").write_bytes(said)
    checksums.record(data)


def copy_out(folder: Path, root: Path, runs: Runs, training: Training, id: str) -> list[Path]:
    """Write what the set has of a training where the stages would; returns the files, those that say done last."""
    name, batches = name_of(training), batches_of(runs, training)
    source = folder / "trainings" / name
    copies = {source / file: root / "train" / name / file for file in TRAINED}
    for split, _ in batches:
        for stage, files in evaluated(runs, split).items():
            copies |= {source / split / file: root / stage / split / name / file for file in files}
    copies |= {source / f"{stage}.csv": root / stage / f"{name}.csv" for stage in answered(runs, training)}
    for origin, target in copies.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(origin, target)
    checksums.record(*copies.values())
    mark = root / "train" / name / "model" / TAKEN
    mark.parent.mkdir(exist_ok=True)
    mark.write_text(json.dumps({"from": id}) + "\n")
    done = [
        done_file(root, stage, split, training[0], seeds)
        for split, seeds in batches
        for stage in evaluated(runs, split)
    ]
    for path in done:
        path.touch()
    return [*copies.values(), *done]


def take(folder: Path, results: Path) -> tuple[list[Training], list[Training]]:
    """Take what can be taken into the results of the set's scale; returns it, and what of the set could not.

    Raises UserError, and then takes nothing.
    """
    now, manifest = clean_commit(), read_partial(folder)
    scale, root = manifest["scale"], results / manifest["scale"]
    runs = Runs(load_scale(scale))
    cards = [read_card(path) for path in sorted(folder.glob("trainings/*/*/run.json"))]
    for card in cards:
        check_card(card, runs, str(folder))
        if not same_training_code(now, card["commit"]):
            raise UserError(
                f"{folder}: {card['arm']}/seed{card['seed']} was trained at commit {card['commit'][:12]}, whose code "
                f"is not this checkout's: git checkout {card['commit'][:12]}"
            )
    check_results(root)
    mark_results(root)
    take_data(folder, root / "data")
    trained = {(card["arm"], card["seed"]) for card in cards}
    complete = {one for one in trained if is_evaluated(runs, one, files_of(folder, one))}
    here = {one for one in wanted(runs) if (root / "train" / name_of(one) / "run.json").is_file()}
    taken = takeable(runs, complete, here)
    if draws := draws_to_make(runs, taken, root):
        raise UserError(
            f"{folder}: trainings of {len(draws)} seeds read data that are not there, which every machine draws alike; "
            f"make them, then take again: snakemake --cores all --config scale={scale} " + " ".join(map(str, draws))
        )
    if first := first_to_make(runs, taken, here):
        targets = " ".join(f"{root}/train/{name_of(training)}/run.json" for training in first)
        raise UserError(
            f"{folder}: {len(first)} trainings that others start from need weights here; make them, then take again: "
            f"snakemake --cores all --config scale={scale} {targets}"
        )
    written = [path for one in sorted(taken) for path in copy_out(folder, root, runs, one, manifest["id"])]
    when = time.time()  # one time for all: nothing is older than what it was made from
    for path in written:
        os.utime(path, (when, when))
    return sorted(taken), sorted(trained - taken - here)


def files_of(folder: Path, training: Training) -> list[str]:
    """The set's files of a training, by their names under its folder."""
    source = folder / "trainings" / name_of(training)
    return [str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()]


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="results/published/<scale>, a partial set")
    folder = parser.parse_args(argv).folder
    taken, left = take(folder, Path("results/local"))
    print(f"took {len(taken)} trainings from {folder}")
    if left:
        print(f"not taken, trained again where needed: {', '.join(map(name_of, left))}", file=sys.stderr)


if __name__ == "__main__":
    main()
