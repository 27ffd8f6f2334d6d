"""What the report says of the trainings: run cards, settings with their sources, and the environment."""

import dataclasses
import json
import re
import subprocess
from collections import Counter
from typing import Any

from uniapl.config import Method, usual_settings
from uniapl.config.card import changed_settings
from uniapl.config.method import name_of
from uniapl.provenance import ROOT
from uniapl.report.read import ResultSet
from uniapl.report.sections import LONG, Table
from uniapl.tables import View

SHORT = 12  # digits of a hash in a table; the card has all


def value(x: Any) -> str:
    """A setting as text: JSON's words for true, false and none, numbers in their shortest form."""
    if isinstance(x, float):
        return f"{x:g}"
    return x if isinstance(x, str) else json.dumps(x)


def flat(card: dict, prefix: str = "") -> dict[str, str]:
    """A card as one level of names with dots."""
    found = {}
    for key, x in card.items():
        found |= flat(x, f"{prefix}{key}.") if isinstance(x, dict) else {f"{prefix}{key}": value(x)}
    return found


def stale(results: ResultSet) -> list[str]:
    """The trainings whose arm has other settings in this checkout, or is not there."""
    runs = results.runs
    return [
        f"{card['arm']}/seed{card['seed']}"
        for card in results.cards
        if card["arm"] not in runs.arms or changed_settings(card, runs.run(card["arm"], card["seed"]))
    ]


def runs(results: ResultSet) -> Table:
    """One row per training."""
    rows = []
    for card in results.cards:
        cost, settings = card["cost"], card["settings"]
        rows.append(
            [
                card["arm"],
                value(card["seed"]),
                card["start_arm"] or "scratch",
                *(value(settings[k]) if k in settings else "" for k in ("steps", "learning_rate", "lam")),
                *(f"{cost[k]:.0f}" if k in cost else "" for k in ("tokens_generated", "tokens_trained")),
                f"{cost['seconds']:.1f}" if "seconds" in cost else "",
                f"{cost['peak_memory_mb']:.0f}" if "peak_memory_mb" in cost else "",
                card["commit"][:7],
                card["weights_sha256"][:SHORT],
                card["fingerprint"],
            ]
        )
    head = "arm|seed|starts from|steps|learning rate|lambda|tokens generated|tokens trained|seconds|memory (MB)"
    caption = (
        "Every training of these experiments; tokens and seconds are its own, without those of its start. Weights: "
        "first digits of the SHA-256 of model.safetensors. Fingerprint: of all settings and of the start; "
        "equal for equal trainings."
    )
    view = View(caption, [*head.split("|"), "commit", "weights", "fingerprint"], rows)
    return Table("runs", "Trainings", view, folded=len(rows) > LONG)


def _methods(results: ResultSet) -> dict[str, Method]:
    """Those of this checkout. A card may be anybody's, and a name in it is no reason to import a module."""
    return {name_of(arm.method): arm.method for arm in results.runs.arms.values()}


def arms(results: ResultSet) -> Table:
    """One row per arm: its method and what differs from that method's settings at this scale."""
    defaults, rows, seeds, known = {}, {}, Counter(), _methods(results)
    for card in results.cards:
        arm = results.runs.arms.get(card["arm"])
        method = card.get("method") or (name_of(arm.method) if arm else "")
        if method in known and method not in defaults:
            defaults[method] = json.loads(json.dumps(usual_settings(results.runs.scale, known[method])))
        usual = defaults.get(method, {})
        changed = [f"{k} = {value(x)}" for k, x in card["settings"].items() if k not in usual or x != usual[k]]
        row = (card["arm"], method, card["start_arm"] or "scratch", ", ".join(changed) or "nothing")
        rows[row] = None
        seeds[row] += 1
    caption = (
        f"What each arm changes of its method's settings at scale {results.runs.scale.name}, as its run cards record "
        "it; the next tables have those settings. Seeds: trainings in this set."
    )
    head = ["arm", "method", "starts from", "changes", "seeds"]
    shown = [[*row, str(seeds[row])] for row in rows]
    return Table("arms", "Arms", View(caption, head, shown, {"changes": 0.4}))


def settings(results: ResultSet) -> list[Table]:
    """One table per method of the set: every setting with its value at this scale and where that comes from."""
    scale, methods, tables = results.runs.scale, _methods(results), []
    used = {card.get("method") for card in results.cards}
    used |= {name_of(arm.method) for card in results.cards if (arm := results.runs.arms.get(card["arm"]))}
    for name in sorted(used & methods.keys()):
        usual, of_scale = usual_settings(scale, methods[name]), scale.settings[methods[name]]
        rows = [
            [
                field.name,
                value(usual[field.name]) if field.name in usual else "of the arm",
                field.metadata.get("source", ""),
                f"scale {scale.name}" if field.name in of_scale else "default" if field.name in usual else "arm",
            ]
            for field in dataclasses.fields(methods[name].Settings)
        ]
        view = View(
            f"Settings of {name} and the source of each; set by: the method's default, or experiments/scales.py.",
            ["setting", "value", "source", "set by"],
            rows,
            {"source": 0.5},
        )
        tables.append(Table(f"settings-{name.replace('.', '-')}", name, view, folded=True))
    return tables


def environment(results: ResultSet) -> Table:
    """Versions, devices and commits: of a published set as its manifest has them, of a local one as its cards do."""
    seen: dict[str, set[str]] = {}
    for card in [results.manifest] if results.manifest else results.cards:
        for name, version in card.get("versions", {}).items():
            seen.setdefault(name, set()).add(version)
    rows = [[name, ", ".join(sorted(versions))] for name, versions in seen.items()]
    rows += [["device", ", ".join(sorted({card["device"] for card in results.cards}))]]
    rows += [["commits of the trainings", ", ".join(sorted({card["commit"] for card in results.cards}))]]
    whose = "the environment that published the set" if results.manifest else "the run cards"
    return Table("environment", "Versions and hardware", View(f"Versions: of {whose}.", ["what", "which"], rows))


def data(results: ResultSet) -> Table | None:
    """Rows and SHA-256 of the data files; None where the set has no summary."""
    if not results.data:
        return None
    rows, hashes = results.data["rows"], results.data["sha256"]
    names = dict.fromkeys([*rows, *(name.removesuffix(".jsonl") for name in hashes)])
    shown = [[name, value(rows[name]) if name in rows else "", hashes.get(f"{name}.jsonl", "")] for name in names]
    return Table(
        "data", "Data", View("Rows of stage data, and the files' SHA-256.", ["file", "rows", "SHA-256"], shown)
    )


def dated(commit: str) -> str:
    """The day of a commit, or nothing where git does not know it. It may be anybody's text, an option of git too."""
    if not re.fullmatch("[0-9a-f]{7,40}(-dirty)?", commit):
        return ""
    asked = ["git", "show", "-s", "--format=%cs", commit.removesuffix("-dirty"), "--"]
    try:
        return subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
