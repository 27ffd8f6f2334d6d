"""A published set that is quick to compute again: rows of the published one, one experiment, and a manifest."""

import dataclasses
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
from uniapl.config.runs import Runs
from uniapl.config.suites import COLUMNS
from uniapl.jsonl import read_jsonl
from uniapl.publish import rows as evidence
from uniapl.publish.files import of_cards, stable_id
from uniapl.publish.verify import analyse_from_rows
from uniapl.tables import general, overview

PUBLISHED = ROOT / "results/published/tiny"
EXPERIMENT = "unified"  # the smallest
EVERY = 6  # of so many prompts of a benchmark one is kept: resampling takes as long as there are prompts


def as_planned(runs: Runs, arm: str, seed: int, cards: dict) -> dict:
    """The published card of a run, or of its arm's first seed, with the settings that the arm has now."""
    card, run = cards.get((arm, seed)) or cards[arm, 0], runs.run(arm, seed)
    settings = json.loads(json.dumps(dataclasses.asdict(run.settings)))
    return card | {"seed": seed, "settings": settings, "start_arm": run.start.arm if run.start else None}


def with_planned_seeds(runs: Runs, rows: evidence.Evidence) -> evidence.Evidence:
    """The published rows; of a planned seed that they lack, those of another seed of its arm."""

    def whole(frame: pd.DataFrame) -> pd.DataFrame:
        parts = [frame]
        for arm, seed in runs.evaluated(EXPERIMENT):
            of_arm = frame[frame.arm == arm]
            there = sorted(set(of_arm.seed))
            if there and seed not in there:
                parts.append(of_arm[of_arm.seed == there[seed % len(there)]].assign(seed=seed))
        return pd.concat(parts, ignore_index=True).astype(frame.dtypes.to_dict())

    frames = {name: whole(getattr(rows, name)) for name in ("scores", "pairs", "by_seed", "history")}
    return dataclasses.replace(rows, **frames)


def of_some_prompts(rows: evidence.Evidence) -> evidence.Evidence:
    """The rows of every sixth prompt (EVERY), of all runs."""
    kept = set(rows.test[rows.test.groupby("benchmark").cumcount() % EVERY == 0].key)
    frames = {field.name: getattr(rows, field.name) for field in dataclasses.fields(rows)}
    return evidence.Evidence(
        **{name: f[f.key.isin(kept)].reset_index(drop=True) if "key" in f else f for name, f in frames.items()}
    )


def copy(folder: Path) -> None:
    """Make the set in this folder, which must be called tiny."""
    runs = Runs(load_scale("tiny"))
    analysis, published = (root / "analyse" / EXPERIMENT for root in (folder, PUBLISHED))
    analysis.mkdir(parents=True)
    shutil.copy(PUBLISHED / "data.json", folder)
    for name in (LOCK, "logprobs.csv"):
        shutil.copy(published / name, analysis)
    cards = {(card["arm"], card["seed"]): card for card in read_jsonl(PUBLISHED / "runs.jsonl")}
    cards = {run: as_planned(runs, *run, cards) for run in sorted(runs.trained(EXPERIMENT))}
    (folder / "runs.jsonl").write_text("".join(json.dumps(card, sort_keys=True) + "\n" for card in cards.values()))
    published_rows = of_some_prompts(evidence.read(PUBLISHED / "rows"))
    evidence.write(evidence.again(with_planned_seeds(runs, published_rows)), folder / "rows")
    asked, rows = load_experiment(EXPERIMENT), evidence.read(folder / "rows")
    analyse_from_rows(analysis, asked, load_scale("tiny"), rows, cards, recorded_statements(analysis))
    tables.render(analysis, folder / "tables" / EXPERIMENT)
    overview.render(folder, load_scale("tiny"), folder / "overview", experiments=[EXPERIMENT])
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
    manifest |= of_cards(cards)
    files = [path for path in folder.rglob("*.*") if path.is_file() and path.name != "manifest.json"]
    manifest["sha256"] = {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
    manifest["id"] = stable_id("tiny", manifest["commit"], manifest["sha256"])
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return manifest
