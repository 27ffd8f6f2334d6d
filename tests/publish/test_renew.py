"""A published set is renewed from its own rows by the present code, or stays as it is."""

import json
import re

import pandas as pd
import pytest
from support import published_set
from support.published_set import EXPERIMENT

from uniapl.errors import UserError
from uniapl.publish import publish, renew, verify
from uniapl.tables.again import SAID


@pytest.fixture(autouse=True)
def committed(monkeypatch):
    """A clean tree, in which there is one experiment, for speed."""
    monkeypatch.setattr(publish, "commit", lambda: "c0ffee")
    monkeypatch.setattr(renew.Runs, "extended", [EXPERIMENT])


def test_a_set_that_older_code_published_gets_what_present_code_computes(published, capsys):
    (published / f"analyse/{EXPERIMENT}/diversity.csv").unlink()  # older code did not have it
    (published / f"tables/{EXPERIMENT}/main.csv").write_text("arm\n")  # and had another table
    (published / "again").mkdir()  # with verdicts that its analysis does not have
    (published / "again/again.csv").write_text(f"set,experiment,id,{','.join(SAID)}\ntiny,{EXPERIMENT},gone,,,,,,\n")
    rows = {path.name: path.read_bytes() for path in (published / "rows").iterdir()}
    by_seed = pd.read_parquet(published / "rows/by_seed.parquet")
    stale = by_seed.assign(value=by_seed.value.where(by_seed.quantity != "auc", -1.0))
    stale.to_parquet(published / "rows/by_seed.parquet", compression="zstd", index=False)
    before = published_set.seal(published)
    renew.main([str(published)])
    manifest = json.loads((published / "manifest.json").read_text())
    printed = capsys.readouterr()
    assert f"{manifest['id']}, from the rows of {before['id']}" in printed.out
    assert "left out: make it again by uniapl again" in printed.err and not (published / "again").exists()
    assert {path.name: path.read_bytes() for path in (published / "rows").iterdir()} == rows
    assert manifest["commit"] == "c0ffee" and manifest["renewed"]["from"] == before["id"]
    for name in ("experiments", "devices", "fingerprints", "commits_of_runs", "versions"):
        assert manifest[name] == before[name]
    assert len(pd.read_csv(published / f"analyse/{EXPERIMENT}/diversity.csv")) > 3
    verify.main([str(published)])
    assert sorted(path.name for path in published.parent.iterdir()) == ["tiny"]


def edit_card(folder, **values):
    lines = (folder / "runs.jsonl").read_text().splitlines()
    first = json.dumps(json.loads(lines[0]) | values)
    (folder / "runs.jsonl").write_text("\n".join([first, *lines[1:]]) + "\n")


@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda folder: (folder / "rows/scores.parquet").write_bytes(b"x"), "rows/scores.parquet: is not the file"),
        (lambda folder: (folder / "tables/notes.txt").write_text("x"), "notes.txt: is not in the manifest"),
        (lambda folder: edit_card(folder, seed=7), "runs.jsonl: is not the file of the manifest"),
        (
            lambda folder: [edit_card(folder, settings={"steps": 7}), published_set.seal(folder)],
            "runs.jsonl: base/seed0 was trained with another",
        ),
        (lambda folder: (folder / "manifest.json").unlink(), "manifest.json: no such file"),
        (lambda folder: (folder / "manifest.json").write_text("{bad"), "manifest.json:1: not JSON"),
        (lambda folder: (folder / "manifest.json").write_text("{}"), "manifest.json: no key id, "),
    ],
)
def test_an_edited_set_is_refused_and_stays(published, capsys, spoil, message):
    spoil(published)
    before = {path: path.read_bytes() for path in published.rglob("*.*")}
    with pytest.raises(SystemExit) as left:
        renew.main([str(published)])
    (line,) = capsys.readouterr().err.splitlines()
    assert left.value.code == 2 and re.search(message, line)
    assert {path: path.read_bytes() for path in published.rglob("*.*")} == before


def test_a_tree_with_uncommitted_changes_renews_nothing(published, monkeypatch, capsys):
    monkeypatch.setattr(publish, "commit", lambda: "c0ffee-dirty")
    before = (published / "manifest.json").read_bytes()
    with pytest.raises(SystemExit):
        renew.main([str(published)])
    assert "commit first" in capsys.readouterr().err
    assert (published / "manifest.json").read_bytes() == before


class Asked:
    """Two experiments, as a plan has them."""

    extended = ["old", "new"]

    def __init__(self, **runs):
        self.runs = runs

    def evaluated(self, name):
        return self.runs[name]


def test_an_experiment_of_the_same_runs_is_added_and_one_with_other_runs_is_not():
    runs = {("base", 0), ("sft", 0)}
    assert renew.experiments_with_all_runs(Asked(old=[("sft", 0)], new=[("base", 0), ("sft", 0)]), runs, ["old"]) == [
        "old",
        "new",
    ]
    assert renew.experiments_with_all_runs(Asked(old=[("sft", 0)], new=[("grpo", 0)]), runs, ["old", "gone"]) == ["old"]
    with pytest.raises(UserError, match="experiments/old.py asks for sft/seed1, which the set lacks"):
        renew.experiments_with_all_runs(Asked(old=[("sft", 1)], new=[]), runs, ["old"])
