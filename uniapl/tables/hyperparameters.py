"""The settings of every training, from its run card, each with where its value comes from.

A value comes from the arm (experiments/ that have it), from the scale (experiments/scales.py), or is the
recipe's default, whose source stands beside it in the recipe. A card that differs from all three says so.
"""

import dataclasses
import importlib
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from uniapl.config import Scale, all_arms, experiments_of
from uniapl.errors import UserError
from uniapl.jsonl import read_json, read_jsonl
from uniapl.tables import View

COLUMNS = ("arm", "trainer", "start", "setting", "value", "usual", "source", "of_arm")


def _cards(root: Path) -> Iterator[tuple[str, dict]]:
    """(where, card) of every run: of the trainings under the root, or of its runs.jsonl where it is published."""
    if (root / "runs.jsonl").is_file():
        yield from ((f"{root}/runs.jsonl", card) for card in read_jsonl(root / "runs.jsonl"))
    for path in sorted(root.glob("train/*/seed*/run.json")):
        yield str(path), read_json(path, ("arm", "seed", "settings"))


def read(root: Path, scale: Scale) -> pd.DataFrame:
    """COLUMNS: one row per arm with a run card and setting. `usual`: the value without the arm's changes.
    An arm that experiments/ no longer have is left out: nothing says where its values come from.

    Raises UserError where two seeds of an arm were trained with different settings.
    """
    experiments = {asked.name: asked for asked in experiments_of(scale)}
    known = all_arms(scale, list(experiments.values()))
    asked = {name: [n for n, e in experiments.items() if name in (arm.name for arm in e.arms)] for name in known}
    found: dict[str, dict] = {}
    for where, card in _cards(root):
        first = found.setdefault(card["arm"], card)["settings"]
        if odd := [name for name in first if card["settings"].get(name) != first[name]]:
            raise UserError(f"{where}: {card['arm']}/seed{card['seed']} has another {odd[0]} than the arm's first seed")
    rows = []
    for name in sorted(found.keys() & known.keys()):
        arm, values = known[name], found[name]["settings"]
        of_scale = scale.settings.get(arm.trainer, {})
        for field in dataclasses.fields(importlib.import_module(arm.trainer).Settings):
            if field.name not in values:
                continue
            usual, source = of_scale.get(field.name, field.default), field.metadata["source"]
            source = f"scale {scale.name} (experiments/scales.py)" if field.name in of_scale else source
            value, changed = values[field.name], field.name in arm.changes and field.name not in scale.keeps
            if changed:
                source = f"experiments: {', '.join(asked[name] or ['scales'])}"
            now = _text(arm.changes[field.name] if changed else usual)
            if _text(value) != now:
                source, changed = f"the run card; experiments/ now say {now}", True
            row = (name, arm.trainer, arm.start, field.name, _text(value), _text(usual), source, changed)
            rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS).astype({"of_arm": bool})


def _text(value) -> str:
    if isinstance(value, list | tuple):  # JSON has no tuples
        return ", ".join(map(_text, value))
    return "none" if value is None else format(value, "g") if isinstance(value, float) else str(value)


def settings(values: pd.DataFrame) -> pd.DataFrame:
    """trainer, setting, value, source: what the runs of a trainer have where their arm changes nothing."""
    usual = values[~values.of_arm].drop_duplicates(["trainer", "setting"])
    return usual.sort_values("trainer", kind="stable")[["trainer", "setting", "value", "source"]]


def arms(values: pd.DataFrame) -> pd.DataFrame:
    """arm, trainer, start, setting, value, usual, source: what an arm changes; one blank row where nothing."""
    rows = []
    for _, of_arm in values.groupby("arm", sort=False):
        changed = of_arm[of_arm.of_arm]
        blank = of_arm.head(1).assign(setting=None, value=None, usual=None, source=None)
        rows.append(changed if len(changed) else blank)
    return pd.concat(rows or [values])[["arm", "trainer", "start", "setting", "value", "usual", "source"]]


def view_settings(text: pd.DataFrame) -> View:
    """One row per trainer and setting."""
    caption = (
        "What the runs are trained with where their arm changes nothing (table arms), from the run cards, with the "
        "source of each value; experiments/scales.py says how the scale's learning rates were chosen."
    )
    prose = {"source": 0.6}
    return View(caption, ["trainer", "setting", "value", "source"], text.to_numpy().tolist(), prose, grouped=True)


def view_arms(text: pd.DataFrame) -> View:
    """One row per arm, its changes in one cell."""
    rows = []
    for arm, of_arm in text.groupby("arm", sort=False):
        changes = [f"{r.setting} {r.value} (else {r.usual})" for r in of_arm.itertuples() if r.setting]
        sources = "; ".join(dict.fromkeys(source.removeprefix("experiments: ") for source in of_arm.source if source))
        rows.append([arm, of_arm.start.iloc[0], of_arm.trainer.iloc[0], "; ".join(changes) or "nothing", sources])
    caption = (
        "The arms with runs: the checkpoint each starts from, its trainer, and the settings that differ from those of "
        "the table settings, from the run cards."
    )
    head = ["arm", "starts from", "trainer", "changes", "experiments"]
    return View(caption, head, rows, {"changes": 0.34, "experiments": 0.22})
