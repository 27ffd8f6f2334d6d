"""The run card, run.json: which training a checkpoint came from, and what it consumed. Its schema stands here alone."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uniapl.config.model import Run
from uniapl.jsonl import read_json

NO_DEVICE = "none"  # of a checkpoint that was fetched, not trained


@dataclass(frozen=True)
class Cost:
    """What a run consumed in all, its starts left out: steps, rows, tokens, seconds; peak memory in MiB."""

    optimizer_steps: float = 0
    demonstration_rows: float = 0
    rollouts: float = 0
    tokens_generated: float = 0
    tokens_trained: float = 0
    seconds: float = 0
    peak_memory_mb: float = 0


@dataclass(frozen=True, kw_only=True)
class RunCard:
    """One run. What has no default is in every card; what is None was not known, or is not said of such a run.

    arm, seed, start_arm   which run, and the arm that it started from (None: from scratch)
    settings, fingerprint  all settings, and the digest of these and of all that the run started from
    cost, heldout          what it consumed; the measures of its own evaluation, where its method has one
    weights_sha256         of the checkpoint's safetensors; of a fetched one, hub id and revision
    device, commit         where and from which tree it was trained
    precision              the number format of its products, as torch names it
    method                 the module that trained it
    world, start, compute  the rest of what the fingerprint covers
    scale, parameters      its scale; the number of the policy's parameters
    devices, versions      granted and asked; of the libraries
    source, bytes          of a fetched checkpoint
    """

    arm: str
    seed: int
    start_arm: str | None
    settings: dict[str, Any]
    fingerprint: str
    cost: Cost
    heldout: dict[str, float]
    weights_sha256: str
    device: str
    commit: str
    precision: str | None = None
    method: str | None = None
    world: dict[str, Any] | None = None
    start: str | None = None
    compute: dict[str, Any] | None = None
    scale: str | None = None
    parameters: int | None = None
    devices: dict[str, int] | None = None
    versions: dict[str, str] | None = None
    source: dict[str, Any] | None = None
    bytes: int | None = None

    @classmethod
    def for_run(cls, run: Run, **measured: Any) -> "RunCard":
        """The card of a run; `measured` is what the run alone does not say."""
        start = run.start.arm if run.start else None
        return cls(**run.describe(), start_arm=start, scale=run.scale, fingerprint=run.fingerprint, **measured)

    def write(self, path: Path) -> None:
        """Write the card as JSON, without what is not known."""
        values = dataclasses.asdict(self)
        values = {name: x for name, x in values.items() if x is not None or name in REQUIRED}
        path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


REQUIRED = tuple(field.name for field in dataclasses.fields(RunCard) if field.default is dataclasses.MISSING)
LOCAL = ("world", "start", "scale", "parameters", "bytes")  # left out of a published set
PUBLISHED = tuple(field.name for field in dataclasses.fields(RunCard) if field.name not in LOCAL)
SPENT = tuple(field.name for field in dataclasses.fields(Cost) if field.name != "peak_memory_mb")


def read_card(path: Path) -> dict[str, Any]:
    """A card as JSON values. Raises UserError for one that lacks what every card has."""
    return read_json(path, REQUIRED)


def changed_settings(card: dict[str, Any], run: Run) -> list[str]:
    """What a run of this card was trained with that `run` has in another value now: settings, or where it starts.

    A fingerprint holds names of modules and of settings, which change: what counts is each setting's value. A setting
    that came since must have the value that its class gives it, under which nothing changes.
    """
    usual = {field.name: field.default for field in dataclasses.fields(run.settings)}
    values = json.loads(json.dumps(dataclasses.asdict(run.settings)))
    changed = [name for name, value in values.items() if card["settings"].get(name, usual[name]) != value]
    changed += sorted(card["settings"].keys() - values.keys())
    start = run.start.arm if run.start else None
    return changed if card["start_arm"] == start else [*changed, "arm that it starts from"]
