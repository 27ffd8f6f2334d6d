"""What the report says of the trainings: run cards and the environment."""

import json
import re
import subprocess
from typing import Any

from uniapl.config.card import changed_settings
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


def flatten(card: dict, prefix: str = "") -> dict[str, str]:
    """A card as one level of names with dots."""
    entries = {}
    for key, entry in card.items():
        entries |= flatten(entry, f"{prefix}{key}.") if isinstance(entry, dict) else {f"{prefix}{key}": value(entry)}
    return entries


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
    lines = [[name, value(rows[name]) if name in rows else "", hashes.get(f"{name}.jsonl", "")] for name in names]
    return Table(
        "data", "Data", View("Rows of stage data, and the files' SHA-256.", ["file", "rows", "SHA-256"], lines)
    )


def date_of(commit: str) -> str:
    """The day of a commit, or nothing where git does not know it. It may be anybody's text, an option of git too."""
    if not re.fullmatch("[0-9a-f]{7,40}(-dirty)?", commit):
        return ""
    command = ["git", "show", "-s", "--format=%cs", commit.removesuffix("-dirty"), "--"]
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
