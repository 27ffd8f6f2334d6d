"""A published set is verified from its own rows, and whatever was edited is named by file, row and column."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from support import published_set
from support.published_set import EXPERIMENT

from uniapl.publish import rows as evidence
from uniapl.publish import verify
from uniapl.publish.files import changed_files
from uniapl.tables import again


def problems(folder: Path, capsys) -> list[str]:
    """The lines that the command ends with, without the last, which counts them."""
    with pytest.raises(SystemExit) as left:
        verify.main([str(folder)])
    *lines, last = (line for line in capsys.readouterr().err.splitlines() if not line.startswith("computing "))
    assert left.value.code == 1 and f"{len(lines)} differences from " in last
    return [line.removeprefix(f"{folder}/") for line in lines]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_analyses_and_tables_follow_from_the_published_rows(published, capsys):
    manifest = json.loads((published / "manifest.json").read_text())
    n = len(manifest["sha256"])
    verify.main([str(published.rename(published.with_name(manifest["id"])))])  # whatever its folder is called
    printed = capsys.readouterr()
    assert f"{n} files as published; analyses and tables of 1 experiments follow" in printed.out
    assert printed.err == f"computing {EXPERIMENT}, 1 of 1 experiments\n"


def test_one_changed_digit_is_named_by_file_row_and_column_or_line(published, capsys):
    table = f"tables/{EXPERIMENT}/main.csv"
    first = pd.read_csv(published / table, dtype=str).estimate[0]
    other = first[:-1] + str((int(first[-1]) + 1) % 10)
    edit(published / table, first, other)
    edit(published / f"tables/{EXPERIMENT}/claims.md", "not decided", "supported")
    markdown, whole, cell, line = problems(published, capsys)
    assert markdown == f"tables/{EXPERIMENT}/claims.md: is not the file of the manifest (SHA-256)"
    assert whole == f"{table}: is not the file of the manifest (SHA-256)"
    assert line.startswith(f"{table}: row 1 (base), column estimate: '{other}', computed '{first}'") or cell.startswith(
        f"{table}: row 1 (base), column estimate: '{other}', computed '{first}'"
    )
    assert {cell.split(":")[0], line.split(":")[0]} == {table, f"tables/{EXPERIMENT}/claims.md"}


def test_the_general_benchmarks_follow_from_their_rows(published, capsys):
    edit(published / "general/general.csv", ",50.0,", ",51.0,")
    whole, cell = problems(published, capsys)
    assert whole == "general/general.csv: is not the file of the manifest (SHA-256)"
    assert re.match(r"general/general.csv: row 1 \(topics\), column \w+: '51.0', computed '50.0'", cell)


def beside_other_seeds(folder: Path, **edited) -> None:
    """Add `again/` with what the set says of itself, the values of the first claim replaced."""
    (folder / "again").mkdir()
    text = again.rounded("again", again.verdicts([again.read(folder, "tiny")], [EXPERIMENT]))
    text.loc[0, list(edited)] = list(edited.values())
    text.to_csv(folder / "again/again.csv", index=False)
    published_set.seal(folder)


def test_an_edited_verdict_of_a_prompt_shows_in_the_analysis(published, capsys):
    beside_other_seeds(published)
    scores = pd.read_parquet(published / "rows/scores.parquet")
    edited = (scores.arm == "chord") & (scores.decoding == "greedy")
    scores.loc[scores.index[edited][0], "strict"] ^= 1
    scores.to_parquet(published / "rows/scores.parquet", compression="zstd", index=False)
    changed, *cells = problems(published, capsys)
    assert changed.startswith("rows/scores.parquet: is not the file")
    assert any(line.startswith(f"analyse/{EXPERIMENT}/main.csv: row ") and "(chord)" in line for line in cells)
    assert not any(line.startswith("again/") for line in cells)  # it is beside the analysis that is there


def test_verdicts_with_other_seeds_that_are_not_of_this_analysis_are_named(published, capsys, monkeypatch):
    monkeypatch.setattr(verify, "_compare", lambda published, computed: iter(()))
    beside_other_seeds(published, n_seeds="7")
    (line,) = problems(published, capsys)
    assert re.match(
        rf"again/again.csv: claim {EXPERIMENT}-\w+ of {EXPERIMENT} in tiny: '.* 7 .*', the analysis says ", line
    )


def test_the_id_names_scale_commit_and_content(published, capsys):
    manifest = json.loads((published / "manifest.json").read_text())
    scale, commit, content = manifest["id"].split("-")
    assert (scale, commit) == ("tiny", manifest["commit"][:12])
    edit(published / "manifest.json", content, "0" * 12)
    assert problems(published, capsys) == [
        f"manifest.json: says id tiny-{commit}-{'0' * 12}, its files have {manifest['id']}"
    ]


def test_what_a_manifest_says_beside_its_files_is_held_against_them(published):
    manifest = json.loads((published / "manifest.json").read_text())
    assert list(verify.contents(published, manifest)) == []
    said = {"fingerprints": {}, "devices": ["gpu"], "commits_of_runs": ["c0ffee"]}
    for name, other in said.items():
        (line,) = verify.contents(published, manifest | {name: other})
        assert line == f"{published}/manifest.json: {name}: not what runs.jsonl says"
    assert list(verify.contents(published, manifest | {"experiments": []})) == [
        f"{published}/{stage}/{EXPERIMENT}: is no experiment of the manifest" for stage in ("analyse", "tables")
    ]


def test_a_file_that_nothing_computes_is_named(published, tmp_path):
    analysis, empty = published / f"analyse/{EXPERIMENT}", tmp_path / "computed"
    empty.mkdir()
    assert {"logprobs.csv", "claims.lock.json", "main.csv"} <= {path.name for path in analysis.iterdir()}
    lines = list(verify._compare(analysis, empty))
    assert f"{analysis}/main.csv: is not computed from the rows" in lines
    assert not [line for line in lines if "logprobs.csv" in line or "claims.lock.json" in line]


def test_missing_and_extra_files_are_named(published):
    (published / f"analyse/{EXPERIMENT}/types.csv").unlink()
    (published / "notes.txt").write_text("")
    sha256 = json.loads((published / "manifest.json").read_text())["sha256"]
    assert [line.removeprefix(f"{published}/") for line in changed_files(published, sha256)] == [
        f"analyse/{EXPERIMENT}/types.csv: is in the manifest and does not exist",
        "notes.txt: is not in the manifest",
    ]


@pytest.mark.parametrize("spoil", [lambda path: path.unlink(), lambda path: path.write_text("no Parquet")])
def test_rows_that_cannot_be_read_and_a_folder_without_a_manifest_are_one_line(published, capsys, spoil):
    spoil(published / "rows/scores.parquet")
    with pytest.raises(SystemExit) as left:
        verify.main([str(published)])
    assert left.value.code == 2 and "error: " in capsys.readouterr().err.splitlines()[-1]
    with pytest.raises(SystemExit):
        verify.main([str(published / "rows")])
    assert "manifest.json: no such file" in capsys.readouterr().err


@pytest.mark.parametrize("lost", ["id", "sha256", "experiments"])
def test_a_manifest_that_is_not_json_or_lacks_a_key_is_one_line(published, capsys, lost):
    path = published / "manifest.json"
    whole = json.loads(path.read_text())
    del whole[lost]
    for text, message in (("{bad", ":1: not JSON"), ("{}", ": no key id, "), (json.dumps(whole), f": no key {lost};")):
        path.write_text(text)
        with pytest.raises(SystemExit) as left:
            verify.main([str(published)])
        (line,) = capsys.readouterr().err.splitlines()
        assert left.value.code == 2 and line.startswith(f"error: {path}{message}") and "restore it" in line


def test_a_measure_that_does_not_follow_from_pairs_and_history_is_named_and_computed_again(published):
    rows = evidence.read(published / "rows")
    path, whole = published / "rows/by_seed.parquet", rows.by_seed
    edited = [whole.index[whole.quantity == quantity][0] for quantity in ("length", "auc", "distance")]
    stale = whole.assign(value=whole.value.where(~whole.index.isin(edited), -1.0))
    now = evidence.again(replace(rows, by_seed=stale)).by_seed
    assert list(verify.different_measures(path, whole, now)) == []
    names = [f"{whole.quantity[row]} of {whole.arm[row]}/seed{whole.seed[row]}" for row in edited]
    lines = [line.split(", computed ")[0] for line in verify.different_measures(path, stale, now)]
    assert sorted(lines) == sorted(f"{path}: {name}, column value: '-1.0'" for name in names)


def test_rows_of_runs_are_those_of_the_arm_at_its_seeds():
    frame = pd.DataFrame({"arm": ["a", "a", "b"], "seed": [0, 1, 0], "value": [1, 2, 3]})
    assert evidence.rows_of_runs(frame, {"a": (1,), "b": (0, 1)}).value.tolist() == [2, 3]


def test_a_difference_far_into_a_line_is_shown(tmp_path):
    row = "| uniapl | 61.0 [55.2, 66.9] | 3.3 [0.9, 5.6] | 59.0 [52.3, 65.6] | 58.1 [51.4, 64.8] | 13.1 | {} | 5 |"
    for name, number in (("stored", "-6.3"), ("fresh", "-6.2")):
        (tmp_path / name).write_text(f"head\n{row.format(number)}\n")
    (line,) = verify.different_lines(tmp_path / "stored", tmp_path / "fresh")
    assert line.startswith(f"{tmp_path / 'stored'}:2: ")
    shown, computed = line.partition(":2: ")[2].split(", computed ")
    assert "-6.3 | 5 |" in shown and "-6.2 | 5 |" in computed and max(len(shown), len(computed)) <= 62
