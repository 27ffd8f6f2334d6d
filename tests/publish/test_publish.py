"""What the README shows is what was published, and what was published is what the manifest says."""

import hashlib
import json
import re
from pathlib import Path

import pandas as pd
import pytest
from support.places import ROOT

from baselines import sft
from uniapl.analyse.claims import COLUMNS
from uniapl.config import Arm, Experiment, load_scale
from uniapl.config.card import REQUIRED
from uniapl.config.names import GENERAL, TABLES
from uniapl.config.runs import Runs
from uniapl.provenance import checksums
from uniapl.publish import publish
from uniapl.publish import rows as evidence
from uniapl.publish.files import LARGEST, LARGEST_SET, check_sizes
from uniapl.publish.readme import BEGIN, END, OF_METHODS

README = "\n".join((BEGIN, "old", END, *OF_METHODS, ""))
PUBLISHED = sorted((ROOT / "results/published").glob("*/manifest.json"))


@pytest.mark.parametrize("manifest", PUBLISHED, ids=lambda path: path.parent.name)
def test_every_published_file_is_the_one_of_the_manifest(manifest):
    recorded = json.loads(manifest.read_text())
    files = [p for p in manifest.parent.rglob("*") if p.is_file() and p != manifest]
    found = {str(p.relative_to(manifest.parent)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
    assert found == recorded["sha256"]
    check_sizes(files, len(recorded["experiments"]))
    assert not any(c.endswith("-dirty") or c == "unknown" for c in [recorded["commit"], *recorded["commits_of_runs"]])


@pytest.fixture
def local(tmp_path, monkeypatch):
    """A finished run of smoke with a default experiment and a half finished extended one; publishes it."""
    first = Arm("sft", sft)
    again = Arm("again", sft, start="sft")
    asked = {
        "headline": Experiment("headline", "", "", (first,), ()),
        "wider": Experiment("wider", "", "", (again,), (), extended=True),
        "choice": Experiment("choice", "", "", (first,), (), split="validation", seeds=(9,)),
    }
    monkeypatch.setattr("uniapl.config.runs.experiments_of", lambda scale: list(asked.values()))
    monkeypatch.setattr(Runs, "general", GENERAL)  # though no experiment here has UniAPL's arm
    monkeypatch.setattr(publish, "commit", lambda: "c0ffee")
    monkeypatch.setattr(publish, "README_SCALE", "smoke")
    monkeypatch.setattr(
        publish, "differences", lambda folder, manifest, sets: iter(())
    )  # tests/publish/test_verify.py has these
    monkeypatch.chdir(tmp_path)
    Path("README.md").write_text(README)
    root, runs = Path("results/local/smoke"), Runs(load_scale("smoke"))
    write(root / "data/summary.json", "{}")
    write(root / "data/test.jsonl", '{"key": 1, "benchmark": "trained", "instruction_id_list": ["a:x"]}\n')
    write(root / "data/expert.jsonl", '{"key": 1, "response": "rain"}\n')
    write(root / "score/test/base/seed0/greedy.csv", "key,index,instruction_id,strict,loose\n1,0,a:x,0,1\n")
    for arm, seed in [("base", 0), ("discriminator", 0), ("sft", 0), ("again", 0)]:
        card = dict.fromkeys(REQUIRED, "x") | dict(
            arm=arm, seed=seed, commit="c0ffee", device="cpu", cost={}, settings={}
        )
        card["fingerprint"] = runs.run(arm, seed).fingerprint
        write(root / f"train/{arm}/seed{seed}/run.json", json.dumps(card))
    for arm in GENERAL:
        write(root / f"suite/{arm}/seed0.csv", 'task,doc_id,metric,value\nuniapl_miniature_choice,0,"acc,none",1.0\n')
    for table in TABLES:
        write(root / f"analyse/headline/{table}.csv", "arm\n")
        write(root / f"tables/headline/{table}.csv", "arm\n")
    write(root / "analyse/headline/claims.csv", ",".join(COLUMNS) + "\n")
    write(root / "tables/headline/main.md", "| new |\n")
    write(root / "analyse/wider/main.csv", "arm\n")
    write(root / "analyse/wider/claims.csv", ",".join(COLUMNS) + "\n")
    return root


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def published() -> dict[str, set[str]]:
    """Publish, and return the experiments in each folder and the arms in runs.jsonl."""
    publish.main(["--scale", "smoke"])
    out = Path("results/published/smoke")
    cards = [json.loads(line) for line in (out / "runs.jsonl").read_text().splitlines()]
    found = {folder: {path.name for path in (out / folder).iterdir()} for folder in ("analyse", "tables")}
    assert set(json.loads((out / "manifest.json").read_text())["experiments"]) == found["tables"]
    return found | {"runs": {card["arm"] for card in cards}}


def test_default_experiments_are_published_and_extended_ones_when_they_have_all_tables(local):
    runs = {"base", "discriminator", "sft"}
    assert published() == {"analyse": {"headline"}, "tables": {"headline"}, "runs": runs}
    assert "All 0 claims of this set" in Path("README.md").read_text()
    scores = evidence.read(Path("results/published/smoke/rows")).scores
    assert scores[["arm", "key", "strict", "loose"]].values.tolist() == [["base", "1", 0, 1]]
    general = Path("results/published/smoke/general/general.md").read_text()
    assert "| topics | uniapl_miniature_choice (2-shot) |" in general
    answers = pd.read_parquet("results/published/smoke/rows/general.parquet")
    assert answers.values.tolist() == [
        [arm, "uniapl_miniature_choice", "0", "acc,none", 1.0] for arm in ("base", "uniapl")
    ]
    for table in TABLES:
        assert "wider" not in published()["tables"]
        write(local / f"tables/wider/{table}.csv", "arm\n")
    both = {"headline", "wider"}
    write(local / "again/again.md", "verdicts with other seeds\n")
    assert published() == {"analyse": both, "tables": both, "runs": runs | {"again"}}
    assert Path("results/published/smoke/again/again.md").read_text() == "verdicts with other seeds\n"


def test_the_readme_keeps_its_table_where_another_scale_is_published(local, monkeypatch):
    monkeypatch.setattr(publish, "README_SCALE", "tiny")
    published()
    assert Path("README.md").read_text() == README


def test_versions_and_sources_of_a_training_are_published_where_its_card_has_them(local):
    change(local / "train/sft/seed0/run.json", versions={"torch": "2.13.0"}, state="not published")
    published()
    cards = [json.loads(line) for line in Path("results/published/smoke/runs.jsonl").read_text().splitlines()]
    found = {card["arm"]: card.get("versions") for card in cards}
    assert found["sft"] == {"torch": "2.13.0"} and found["base"] is None
    assert not any("state" in card for card in cards)


def test_the_data_of_every_seed_that_was_trained_are_published(local, monkeypatch):
    published()
    assert Path("results/published/smoke/draws.jsonl").read_text() == ""  # of seed 0 there is data.json
    monkeypatch.setattr(Runs, "draws", [1, 2])
    root, runs = Path("results/local/tiny"), Runs(load_scale("tiny"))
    write(root / "data/seed2/summary.json", '{"sha256": {"train.jsonl": "abc"}}')
    cards = [{"arm": "sft", "seed": seed} for seed in (0, 2)]
    assert publish.draws(root, runs, cards) == [{"seed": 2, "sha256": {"train.jsonl": "abc"}}]


def test_what_does_not_follow_from_the_rows_is_not_published(local, monkeypatch, capsys):
    published()
    before = Path("results/published/smoke/manifest.json").read_text()
    monkeypatch.setattr(publish, "differences", lambda folder, manifest, sets: iter([f"{folder}: row 1", "row 2"]))
    with pytest.raises(SystemExit):
        published()
    assert "row 1: this does not follow from the set's own rows" in capsys.readouterr().err
    assert Path("results/published/smoke/manifest.json").read_text() == before


def test_a_kill_while_a_set_is_replaced_leaves_the_set_before(local, monkeypatch):
    published()
    before = Path("results/published/smoke/manifest.json").read_text()
    rename = Path.rename
    monkeypatch.setattr(Path, "rename", lambda path, to: 1 / 0 if ".new" in path.parts else rename(path, to))
    with pytest.raises(ZeroDivisionError):
        published()
    assert Path("results/published/.smoke.before/manifest.json").read_text() == before


def change(card: Path, **values) -> None:
    card.write_text(json.dumps(json.loads(card.read_text()) | values))


@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda root: (root / "tables/headline/cost.csv").unlink(), "headline/cost.csv: no such table"),
        (lambda root: (root / "train/sft/seed0/run.json").unlink(), "sft/seed0/run.json: no such run card"),
        (lambda root: (root / "train/sft/seed0/run.json").write_text("{bad"), "sft/seed0/run.json:1: not JSON"),
        (lambda root: (root / "train/sft/seed0/run.json").write_text("{}"), "sft/seed0/run.json: no key arm, "),
        (lambda root: change(root / "train/sft/seed0/run.json", commit="c0ffee-dirty"), "trained from c0ffee-dirty"),
        (lambda root: change(root / "train/base/seed0/run.json", fingerprint="0"), "base/seed0.*other settings"),
        (
            lambda root: [checksums.record(root / "data"), write(root / "data/summary.json", "{}\n")],
            "data/summary.json: not as it was written",
        ),
        (lambda root: (root / "analyse/headline/x.csv").write_bytes(bytes(LARGEST + 1)), f"stay below {LARGEST}"),
        (
            lambda root: [(root / f"analyse/headline/{i}.csv").write_bytes(bytes(LARGEST)) for i in range(4)],
            f"a published set of 1 experiment.s. stays below {LARGEST_SET}",
        ),
    ],
)
def test_an_unfit_set_changes_neither_the_published_one_nor_the_readme(local, capsys, spoil, message):
    published()
    before = {path: path.read_bytes() for path in Path("results/published/smoke").rglob("*.*")}
    readme = Path("README.md").read_text()
    spoil(local)
    with pytest.raises(SystemExit):
        publish.main(["--scale", "smoke"])
    assert re.search(message, capsys.readouterr().err)
    assert {path: path.read_bytes() for path in Path("results/published/smoke").rglob("*.*")} == before
    assert Path("README.md").read_text() == readme
