"""Publish what is finished of a scale: `uniapl publish --scale NAME --partial`; `uniapl take` continues from it.

results/published/NAME/ then holds no tables, but what they follow from:

    partial.json                       the manifest: which trainings, evaluated on what, which are missing, SHA-256
    trainings/ARM/seedK/run.json, history.csv
    trainings/ARM/seedK/SPLIT/         responses, log-probabilities and scores of an evaluated checkpoint
    trainings/ARM/seedK/suite.csv, converse.csv     its general benchmarks
    data.json, data/                   the data's summary; its files, where the world cannot be drawn anew elsewhere

A later run adds to it: a training that is finished here replaces the set's own of that name, others stay. Refused are
trainings of other settings than the experiments have, of an uncommitted tree, of another code, and on other data.
"""

import gzip
import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from uniapl.config import decodings_of, load_scale
from uniapl.config.card import read_card
from uniapl.config.runs import Runs
from uniapl.errors import UserError
from uniapl.jsonl import read_json
from uniapl.provenance import checksums, same_training_code, versions
from uniapl.publish.files import check_card, check_sizes, contradictions, fresh_folder_for, stable_id, swap

MANIFEST = "partial.json"
KEYS = ("id", "scale", "commit", "trainings", "missing", "versions", "sha256")
TRAINED = ("run.json", "history.csv")
Training = tuple[str, int]  # arm, seed


def name_of(training: Training) -> str:
    """Its folder under trainings/."""
    return f"{training[0]}/seed{training[1]}"


def wanted(runs: Runs) -> set[Training]:
    """Every training that the target `all` needs."""
    return set().union(*map(runs.trained, runs.default))


def batches_of(runs: Runs, training: Training) -> list[tuple[str, tuple[int, ...]]]:
    """(split, seeds) of the evaluations that the training's checkpoint is part of, for the target `all`."""
    arm, seed = training
    asked = {(runs.experiments[name].split, *pair) for name in runs.default for pair in runs.evaluated(name)}
    return [
        (split, seeds)
        for (split, seeds), arms in runs.batches.items()
        if arm in arms and seed in seeds and (split, arm, seed) in asked
    ]


def evaluated(runs: Runs, split: str) -> dict[str, list[str]]:
    """Stage -> its files of one checkpoint, which answered the prompts of this split."""
    drawn, scored = runs.scale.evaluation.drawn(split), decodings_of(split)
    return {
        "generate": [*(f"{decoding}.parquet" for decoding in drawn), "logprobs.parquet", "harness.json"],
        "score": [*(f"{decoding}.csv" for decoding in scored), "checkers.json"],
    }


def done_file(root: Path, stage: str, split: str, arm: str, seeds: Iterable[int]) -> Path:
    """What says that a stage has evaluated an arm's checkpoints at these seeds."""
    return root / stage / split / arm / f"seeds_{'_'.join(map(str, seeds))}.done"


def answered(runs: Runs, training: Training) -> list[str]:
    """The stages of general benchmarks that ask this training's checkpoint: a file for each."""
    arm, seed = training
    stages = {"suite": runs.general, "converse": runs.converses}
    return [stage for stage, arms in stages.items() if arm in arms and seed == 0]


def local_files(root: Path, runs: Runs, training: Training) -> dict[str, Path]:
    """Name under trainings/ARM/seedK/ -> the file, of what is finished of a training; empty where it is not."""
    folder = name_of(training)
    files = {name: root / "train" / folder / name for name in TRAINED}
    if not all(path.is_file() for path in files.values()):
        return {}
    for split, seeds in batches_of(runs, training):
        if done_file(root, "score", split, training[0], seeds).is_file():
            files |= {
                f"{split}/{name}": root / stage / split / folder / name
                for stage, names in evaluated(runs, split).items()
                for name in names
            }
    for stage in answered(runs, training):
        if (path := root / stage / f"{folder}.csv").is_file():
            files[f"{stage}.csv"] = path
    return files


def is_evaluated(runs: Runs, training: Training, names: Iterable[str]) -> bool:
    """Whether these files are all that the target `all` asks of a training's checkpoint."""
    splits = [split for split, _ in batches_of(runs, training)]
    needed = {f"{split}/{name}" for split in splits for names in evaluated(runs, split).values() for name in names}
    needed |= {f"{stage}.csv" for stage in answered(runs, training)}
    return needed <= set(names)


def copy_in(source: Path, target: Path) -> None:
    """Copy a file whose checksum is the recorded one; a Parquet file is packed again, the values as they are."""
    checksums.check(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix != ".parquet":
        shutil.copyfile(source, target)
        return
    table = pd.read_parquet(source)
    # each value in 64 bits holds a float32: the empty bytes of all values, side by side, take no space
    split = ["logprobs.list.element"] if "logprobs" in table and len(table) else []
    table.to_parquet(
        target, index=False, compression="zstd", use_dictionary=not split, use_byte_stream_split=split or False
    )


def read_partial(folder: Path) -> dict:
    """The manifest of a partial set. Raises UserError where the folder has none, or one that contradicts its files."""
    path = folder / MANIFEST
    if not path.is_file():
        raise UserError(f"{path}: no such file; name a partial set, which `uniapl publish --partial` makes")
    manifest = read_json(path, KEYS)
    for line in contradictions(folder, manifest, MANIFEST):
        raise UserError(f"{line}; restore the set from version control")
    return manifest


def check_cards(cards: dict[str, dict], runs: Runs, where: Path) -> None:
    """Raise UserError where trainings are of other settings than the experiments have, or of two codes."""
    first = next(iter(cards.values()), None)
    for name, card in cards.items():
        check_card(card, runs, f"{where}: {name}")
        if not same_training_code(first["commit"], card["commit"]):
            raise UserError(
                f"{where}: {name} was trained at commit {card['commit'][:12]}, others at {first['commit'][:12]}, whose "
                "code differs: a set has trainings of one code; train it again, or remove the set"
            )


def differences(folder: Path, manifest: dict) -> Iterator[str]:
    """All that is not as manifest, files and this checkout's experiments say, a line each."""
    yield from contradictions(folder, manifest, MANIFEST)
    runs, found = Runs(load_scale(manifest["scale"])), set()
    for path in sorted(folder.glob("trainings/*/*/run.json")):
        card, name = read_card(path), f"{path.parts[-3]}/{path.parts[-2]}"
        found.add((card["arm"], card["seed"]))
        said = manifest["trainings"].get(name, {})
        if name != name_of((card["arm"], card["seed"])) or said.get("fingerprint") != card["fingerprint"]:
            yield f"{path}: is not the card of {name} that the manifest names"
    missing = sorted(map(name_of, wanted(runs) - found))
    if missing != manifest["missing"]:
        yield f"{folder / MANIFEST}: names other missing trainings than {', '.join(missing) or 'none'}"


def said(manifest: dict) -> str:
    """How much of the scale a partial set has."""
    n = len(manifest["trainings"])
    return f"partial: {n} of {n + len(manifest['missing'])} trainings"


def publish_partial(scale: str, now: str) -> dict:
    """Write or renew the partial set of a scale; returns its manifest. Raises UserError, and then changes nothing."""
    root, out = Path("results/local") / scale, Path("results/published") / scale
    runs = Runs(load_scale(scale))
    if (out / "manifest.json").is_file():
        raise UserError(f"{out}: holds a whole set, which a partial one does not replace: remove it, or publish whole")
    before = read_partial(out) if (out / MANIFEST).is_file() else None
    summary = root / "data/summary.json"
    if not summary.is_file():
        raise UserError(f"{summary}: no such file; nothing of scale {scale} is finished")
    if before and (out / "data.json").read_bytes() != summary.read_bytes():
        raise UserError(f"{summary}: is not that of {out}/data.json: trainings on other data are not mixed")
    finished = {
        training: files for training in sorted(all_trainings(runs)) if (files := local_files(root, runs, training))
    }
    if not finished:
        raise UserError(f"{root}: no training is finished; nothing to publish")
    fresh = fresh_folder_for(out)
    for name in before["trainings"] if before else ():
        shutil.copytree(out / "trainings" / name, fresh / "trainings" / name)
    for training, files in finished.items():
        folder = fresh / "trainings" / name_of(training)
        shutil.rmtree(folder, ignore_errors=True)
        for name, path in files.items():
            copy_in(path, folder / name)
    copy_data(root / "data", fresh, drawn_anew=runs.scale.kind == "miniature")
    cards = {f"{p.parts[-3]}/{p.parts[-2]}": read_card(p) for p in sorted(fresh.glob("trainings/*/*/run.json"))}
    check_cards(cards, runs, root)
    manifest = seal(fresh, scale, now, cards, runs)
    swap(out, fresh)
    return manifest


def all_trainings(runs: Runs) -> set[Training]:
    """The trainings of every experiment of the scale."""
    return set().union(*map(runs.trained, runs.experiments))


def copy_data(data: Path, fresh: Path, *, drawn_anew: bool) -> None:
    """The data's summary, and its files unless every machine draws the same."""
    checksums.check(data)
    fresh.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(data / "summary.json", fresh / "data.json")
    for path in () if drawn_anew else sorted(data.glob("*.jsonl")):
        (fresh / "data").mkdir(exist_ok=True)
        (fresh / f"data/{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))


def seal(fresh: Path, scale: str, now: str, cards: dict[str, dict], runs: Runs) -> dict:
    """Write and return the manifest of what is in `fresh`. Raises UserError for too large a set."""
    files = sorted(path for path in fresh.rglob("*") if path.is_file())
    trained = {(card["arm"], card["seed"]) for card in cards.values()}
    check_sizes(files, sum(bool(runs.trained(name) & trained) for name in runs.experiments))
    sha256 = {str(path.relative_to(fresh)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    of_card = ("fingerprint", "commit", "device", "weights_sha256")
    manifest = {
        "id": stable_id(scale, now, sha256),
        "scale": scale,
        "commit": now,
        "trainings": {
            name: {key: card[key] for key in of_card}
            | {"evaluated": sorted({p.parent.name for p in (fresh / "trainings" / name).glob("*/harness.json")})}
            for name, card in cards.items()
        },
        "missing": sorted(map(name_of, wanted(runs) - trained)),
        "versions": versions(),
        "sha256": sha256,
    }
    (fresh / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
    return manifest
