"""A set of results, published or local, as the report needs it. Reads files; writes none."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from uniapl.config import load_scale
from uniapl.config.runs import Runs
from uniapl.errors import UserError
from uniapl.jsonl import read_json, read_jsonl, require
from uniapl.provenance import checksums, sha256_of
from uniapl.publish.files import changed_files
from uniapl.publish.publish import CARD
from uniapl.tables import VIEWS, rounded

OVERVIEW = dict.fromkeys(("paper", "ablations", "arms", "settings"), "overview")  # table: folder
OVERVIEW |= {"beside": "beside", "general": "general", "again": "again", "again_share": "again"}


@dataclass(frozen=True)
class Stored:
    """A table as stage tables wrote it: the .csv, and its cells as strings."""

    csv: str
    text: pd.DataFrame


@dataclass(frozen=True)
class ResultSet:
    """What a set holds.

    `manifest` is empty for a local set; `tables`: experiment -> table -> what exists of it, in the order of the
    experiments' files; `cards`: the run cards, in the order of the experiments' arms; `absent`: trainings of these
    experiments without one; `data`: the summary of stage data, empty where there is none; `overview`: the
    tables over all experiments that are there, among them, of a local set, the one beside the published set.
    """

    runs: Runs
    manifest: dict
    manifest_sha256: str
    tables: dict[str, dict[str, Stored]]
    cards: list[dict]
    absent: list[str]
    data: dict
    overview: dict[str, Stored] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return "published" if self.manifest else "local"

    @property
    def missing(self) -> list[str]:
        """Experiments of the checkout without any table in this set."""
        return [name for name in self.runs.extended if name not in self.tables]


def read(root: Path, extended: bool = False) -> ResultSet:
    """The set in this folder; of a local one the default experiments, or with the extended ones.

    Raises UserError where it holds no tables, and where a file contradicts its manifest.
    """
    if not root.is_dir():
        raise UserError(f"{root}: no such folder; name a set such as results/published/tiny")
    manifest, sha256 = {}, ""
    if (root / "manifest.json").is_file():
        manifest = read_json(root / "manifest.json", ("scale", "commit", "sha256"))
        sha256 = sha256_of(root / "manifest.json")
        for problem in changed_files(root, manifest["sha256"]):
            raise UserError(f"{problem}; publish the set again")
    runs = Runs(load_scale(manifest.get("scale", root.name)))
    with_tables = {path.parent.name for path in root.glob("tables/*/*.csv")}
    in_order = runs.extended if extended or manifest else runs.default
    names = [name for name in in_order if name in with_tables]
    names += sorted(with_tables.difference(runs.extended))
    if not names:
        raise UserError(f"{root}: no tables/*/*.csv; run the stages up to tables first")
    needed = set().union(*(runs.trained(name) for name in names if name in runs.experiments))
    cards = _published(root / "runs.jsonl") if manifest else _local(root, needed)
    have = {(card["arm"], card["seed"]) for card in cards}
    arms = [arm.name for name in names if name in runs.experiments for arm in runs.experiments[name].arms]
    order = [arm.name for arm in runs.scale.shared] + arms
    place = {arm: order.index(arm) for arm in order}
    data = root / ("data.json" if manifest else "data/summary.json")
    return ResultSet(
        runs=runs,
        manifest=manifest,
        manifest_sha256=sha256,
        tables={name: _tables(root / "tables" / name) for name in names},
        cards=sorted(cards, key=lambda c: (place.get(c["arm"], len(order)), c["arm"], c["seed"])),
        absent=[f"{arm}/seed{seed}" for arm, seed in sorted(needed - have)],
        data=read_json(data, ("rows", "sha256")) if data.is_file() else {},
        overview={name: _stored(name, path) for name, path in _overview(root, extended) if path.is_file()},
    )


def _overview(root: Path, extended: bool) -> Iterator[tuple[str, Path]]:
    """(name, file) of each table over all experiments; with the extended ones some have a folder of their own."""
    for name, folder in OVERVIEW.items():
        of_extended = root / f"{folder}_extended" / f"{name}.csv"
        yield name, of_extended if extended and of_extended.is_file() else root / folder / f"{name}.csv"


def _tables(folder: Path) -> dict[str, Stored]:
    """The tables of one experiment that exist."""
    tables = {}
    for name in VIEWS:
        if (folder / f"{name}.csv").is_file():
            tables[name] = _stored(name, folder / f"{name}.csv")
    return tables


def _stored(name: str, path: Path) -> Stored:
    try:
        checksums.check(path)
        frame = pd.read_csv(path)
    except (pd.errors.EmptyDataError, pd.errors.ParserError) as error:
        raise UserError(f"{path}: not a CSV file: {error}; run the stage tables again") from error
    try:
        return Stored(path.read_text(encoding="utf-8"), rounded(name, frame))
    except UserError as error:
        raise UserError(f"{path.parent}/{error}") from error


def _published(path: Path) -> list[dict]:
    cards = read_jsonl(path)
    for number, card in enumerate(cards, start=1):
        require(card, CARD, f"{path}:{number}")
    return cards


def _local(root: Path, needed: set[tuple[str, int]]) -> list[dict]:
    """The cards of the needed trainings that are finished."""
    paths = [root / f"train/{arm}/seed{seed}/run.json" for arm, seed in needed]
    return [read_json(path, CARD) for path in paths if path.is_file()]
