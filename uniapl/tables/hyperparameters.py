"""The settings of every training, from its run card, each with where its value comes from.

A value comes from the arm (experiments/ that have it), from the scale (experiments/scales.py), or is the
method's default, whose source stands beside it in the method. A card that differs from all three says so.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from uniapl.config import Arm, Scale, all_arms, experiments_of, usual_settings
from uniapl.config.method import name_of
from uniapl.errors import UserError
from uniapl.jsonl import read_json, read_jsonl
from uniapl.tables import View

COLUMNS = ("arm", "method", "start", "setting", "value", "usual", "source", "of_arm")


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
    experiments = experiments_of(scale)
    arms = all_arms(scale, experiments)
    cards: dict[str, dict] = {}
    for where, card in _cards(root):
        first = cards.setdefault(card["arm"], card)["settings"]
        if odd := [name for name in first if card["settings"].get(name) != first[name]]:
            raise UserError(f"{where}: {card['arm']}/seed{card['seed']} has another {odd[0]} than the arm's first seed")
    rows = []
    for name in sorted(cards.keys() & arms.keys()):
        arm, values = arms[name], cards[name]["settings"]
        asking = [experiment.name for experiment in experiments if name in (arm.name for arm in experiment.arms)]
        usual = usual_settings(scale, arm.method)
        for field in dataclasses.fields(arm.method.Settings):
            if field.name in values:
                value = values[field.name]
                row = _sourced(scale, arm, field, usual.get(field.name), value, asking)
                rows.append((name, name_of(arm.method), arm.start, field.name, _text(value), *row))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"of_arm": bool})


def _sourced(scale: Scale, arm: Arm, field: dataclasses.Field, usual, value, asking: list[str]) -> tuple:
    """usual, source, of_arm of a setting that has this value."""
    in_scale = f"scale {scale.name} (experiments/scales.py)"
    source, required = field.metadata["source"], field.default is dataclasses.MISSING
    if field.name in scale.settings[arm.method]:
        source = f"{in_scale}; {source}" if required else in_scale
    expected, of_arm = usual, False
    if arm.rate and field.name == "learning_rate":
        expected, of_arm, source = scale.rates[arm.rate], True, f"{in_scale}, rate {arm.rate}"
    if field.name in arm.changes and field.name not in scale.fixed_settings:
        expected, of_arm, source = arm.changes[field.name], True, f"experiments: {', '.join(asking or ['scales'])}"
    if _text(value) != _text(expected):
        of_arm, source = True, f"the run card; experiments/ now say {_text(expected)}"
    return _text(usual), source, of_arm


def _text(value) -> str:
    if isinstance(value, list | tuple):  # JSON has no tuples
        return ", ".join(map(_text, value))
    return "none" if value is None else format(value, "g") if isinstance(value, float) else str(value)


def settings(values: pd.DataFrame) -> pd.DataFrame:
    """method, setting, value, source: what the runs of a method have where their arm changes nothing."""
    usual = values[~values.of_arm].drop_duplicates(["method", "setting"])
    return usual.sort_values("method", kind="stable")[["method", "setting", "value", "source"]]


def arms(values: pd.DataFrame) -> pd.DataFrame:
    """arm, method, start, setting, value, usual, source: what an arm changes; one blank row where nothing."""
    rows = []
    for _, of_arm in values.groupby("arm", sort=False):
        changed = of_arm[of_arm.of_arm]
        blank = of_arm.head(1).assign(setting=None, value=None, usual=None, source=None)
        rows.append(changed if len(changed) else blank)
    return pd.concat(rows or [values])[["arm", "method", "start", "setting", "value", "usual", "source"]]


def view_settings(text: pd.DataFrame) -> View:
    """One row per method and setting."""
    caption = (
        "What the runs are trained with where their arm changes nothing (table arms), from the run cards, with the "
        "source of each value; experiments/scales.py says how the scale's learning rates were chosen."
    )
    prose = {"source": 0.6}
    return View(caption, ["method", "setting", "value", "source"], text.to_numpy().tolist(), prose, grouped=True)


def view_arms(text: pd.DataFrame) -> View:
    """One row per arm, its changes in one cell."""
    rows = []
    for arm, of_arm in text.groupby("arm", sort=False):
        changes = [f"{r.setting} {r.value} (else {r.usual})" for r in of_arm.itertuples() if r.setting]
        sources = "; ".join(dict.fromkeys(source.removeprefix("experiments: ") for source in of_arm.source if source))
        rows.append([arm, of_arm.start.iloc[0], of_arm.method.iloc[0], "; ".join(changes) or "nothing", sources])
    caption = (
        "The arms with runs: the checkpoint each starts from, its method, and the settings that differ from those of "
        "the table settings, from the run cards."
    )
    head = ["arm", "starts from", "method", "changes", "experiments"]
    return View(caption, head, rows, {"changes": 0.34, "experiments": 0.22})
