"""The model card of one training: what it is, from what, by which method, with which results, and what it is not.

Every fact is the run card's, the scale's, the method module's or an analysis': nothing is stated here alone but what
the data of a world are. Numbers are those of the arm over all its seeds, and the card says which seed its weights are.
"""

import ast
import importlib.util
from pathlib import Path

import pandas as pd
from huggingface_hub import ModelCardData

from uniapl.config.names import BENCHMARKS
from uniapl.data import hub
from uniapl.errors import UserError
from uniapl.provenance import ROOT

OBJECTIVE = "uniapl/method/objective.py"  # whose docstring has the equation of every arm of UniAPL's trainer
MINIATURE = (
    "Prompts about the sea and other topics, drawn by this repository, with demonstrations by a scripted expert; "
    "nothing was collected from people or the web (Apache-2.0)."
)
RESULT = ("prompt_strict", "inst_strict")


def docstring(path: Path) -> str:
    """A module's docstring, read without importing it."""
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def method_text(card: dict) -> str:
    """What the method's module says of itself; of UniAPL's trainer with the objective."""
    name = card.get("method") or "unknown"
    spec = importlib.util.find_spec(name) if name.startswith("baselines.") else None
    if spec is None or not spec.origin:
        raise UserError(f"run.json names the method {name!r}, which this checkout has not: push from one that has it")
    parts = [docstring(Path(spec.origin))]
    if "mu_peak" in card["settings"]:
        parts.append(docstring(ROOT / OBJECTIVE))
    return "\n\n".join(parts)


def licence_and_data(card: dict, kind: str, licence: str | None) -> tuple[str, list[str]]:
    """(licence of the weights, a line for each source of data). Raises UserError where nobody has said the licence."""
    lock = hub.lock()
    if kind == "miniature":
        return licence or "apache-2.0", [MINIATURE]
    base = base_model(card)
    known = lock[base].licence if base in lock else None
    if not (licence or known):
        raise UserError("whose licence the weights have is not recorded: name it with --licence, such as apache-2.0")
    datasets = [
        f"{entry.id} at {(entry.revision or 'no pinned commit')[:12]}: {entry.licence} ({entry.use})"
        for entry in lock.values()
        if entry.kind == "dataset"
    ]
    world = ", ".join(f"{name} {value}" for name, value in (card.get("world") or {}).items() if isinstance(value, str))
    return licence or known, datasets if kind == "public" else [f"the files of a world of kind {kind}: {world}"]


def base_model(card: dict) -> str | None:
    """The hub id that the weights descend from; None where they were trained from scratch, or that is not known."""
    model = card["settings"].get("model") or (card.get("source") or {}).get("id")
    return model if isinstance(model, str) and "/" in model else None


def results(root: Path, arm: str) -> list[str]:
    """Lines of the table of accuracies of the arm, of the first analysis under `root` that has it."""
    for path in sorted(root.glob("analyse/*/main.csv"), key=lambda path: (path.parent.name != "headline", path)):
        frame = pd.read_csv(path)
        frame = frame[(frame.arm == arm) & (frame.decoding == "greedy") & frame.metric.isin(RESULT)]
        if len(frame):
            break
    else:
        return []
    rows = [
        f"| {BENCHMARKS.get(row.benchmark, row.benchmark)} | {row.metric} "
        f"| {row.estimate:.1f} [{row.low:.1f}, {row.high:.1f}] | {row.n_seeds} | {row.n_prompts} |"
        for row in frame.itertuples()
    ]
    return ["| benchmark | metric | % [95 % interval] | seeds | prompts |", "| :-- | :-- | --: | --: | --: |", *rows]


def model_card(card: dict, root: Path, kind: str, *, licence: str | None = None) -> str:
    """README.md of a training's repository. `root`: its scale's results; `kind`: of its world."""
    weights, sources = licence_and_data(card, kind, licence)
    arm, seed, base = card["arm"], card["seed"], base_model(card)
    front = ModelCardData(
        language="en",
        license=weights,
        library_name="transformers",
        pipeline_tag="text-generation",
        base_model=base,
        tags=["uniapl-repro", arm],
    )
    table = results(root, arm) or ["Not evaluated: no analysis of this arm lies beside the training."]
    small = "It is a miniature, trained from scratch to test how the method behaves: " if kind == "miniature" else ""
    start = f"arm {card['start_arm']} of the same run" if card["start_arm"] else "random weights"
    settings = [f"| {name} | {value} |" for name, value in sorted(card["settings"].items())]
    lines = [
        "---",
        front.to_yaml(),
        "---",
        f"# {arm}, seed {seed}, scale {root.name}",
        "",
        f"A policy that UniAPL-repro trained: arm `{arm}` at seed {seed} of scale `{root.name}`. It starts from {start}"
        + (f"; its base is {base}." if base else "."),
        "",
        "## Data",
        "",
        *(f"- {source}" for source in sources),
        "",
        "## Method",
        "",
        f"`{card.get('method')}`:",
        "",
        *(f"    {line}".rstrip() for line in method_text(card).splitlines()),
        "",
        "## Settings",
        "",
        "| setting | value |",
        "| :-- | :-- |",
        *settings,
        "",
        f"Device: {card['device']}. Commit: {card['commit']}. Fingerprint: {card['fingerprint']}. SHA-256 of the "
        f"weights: {card['weights_sha256']}. Cost: {card['cost'].get('seconds', 0):.0f} s.",
        "",
        "## Results",
        "",
        f"Greedy decoding, over all seeds of the arm; these weights are seed {seed} alone.",
        "",
        *table,
        "",
        "## What it is not",
        "",
        f"{small or 'It is a research checkpoint: '}not an assistant, not tested for safety, bias or facts, and no "
        "model of the paper's authors. Its scores say how it follows verifiable instructions on these prompts.",
        "",
        "## Cite",
        "",
        f"UniAPL-repro, scale {root.name}, {arm} seed {seed}, weights {card['weights_sha256'][:12]}; and the method's "
        "paper, arXiv 2509.25148.",
        "",
    ]
    return "\n".join(lines)
