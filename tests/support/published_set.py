"""A published set that is quick to compute again: the published rows, one experiment by this code, and a manifest."""

import hashlib
import json
import shutil
from pathlib import Path

import pandas as pd

from support.places import ROOT
from uniapl import tables
from uniapl.analyse.stated import LOCK, recorded_statements
from uniapl.config import load_experiment, load_scale
from uniapl.config.names import GENERAL
from uniapl.config.suites import COLUMNS
from uniapl.jsonl import read_jsonl
from uniapl.publish import rows as evidence
from uniapl.publish.verify import analyse_from_rows, stable_id
from uniapl.tables import general, overview

PUBLISHED = ROOT / "results/published/tiny"
EXPERIMENT = "unified"  # the smallest


def copy(folder: Path) -> None:
    """Make the set in this folder, which must be called tiny."""
    shutil.copytree(PUBLISHED / "rows", folder / "rows")
    analysis, published = (root / "analyse" / EXPERIMENT for root in (folder, PUBLISHED))
    analysis.mkdir(parents=True)
    for name in ("data.json", "runs.jsonl"):
        shutil.copy(PUBLISHED / name, folder)
    for name in (LOCK, "logprobs.csv"):
        shutil.copy(published / name, analysis)
    cards = {(card["arm"], card["seed"]): card for card in read_jsonl(folder / "runs.jsonl")}
    asked, rows = load_experiment(EXPERIMENT), evidence.read(folder / "rows")
    analyse_from_rows(analysis, asked, load_scale("tiny"), rows, cards, recorded_statements(analysis))
    tables.render(analysis, folder / "tables" / EXPERIMENT)
    overview.render(folder, folder / "overview", experiments=[EXPERIMENT])
    answers = [
        (arm, "uniapl_miniature_choice", str(i), "acc,none", i * share)
        for arm, share in zip(GENERAL, (0.5, 1), strict=True)
        for i in (0, 1)
    ]
    choices = pd.DataFrame(answers, columns=["arm", *COLUMNS]).astype({"value": float})
    choices.to_parquet(folder / general.PUBLISHED)
    general.render(choices, "tiny", folder / "general")
    seal(folder)


def seal(folder: Path) -> dict:
    """Write the manifest of what is there now."""
    manifest = json.loads((PUBLISHED / "manifest.json").read_text()) | {"experiments": [EXPERIMENT]}
    cards = [json.loads(line) for line in (folder / "runs.jsonl").read_text().splitlines()]
    manifest["fingerprints"] = {f"{card['arm']}/seed{card['seed']}": card["fingerprint"] for card in cards}
    files = [path for path in folder.rglob("*.*") if path.is_file() and path.name != "manifest.json"]
    manifest["sha256"] = {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
    manifest["id"] = stable_id("tiny", manifest["commit"], manifest["sha256"])
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return manifest
