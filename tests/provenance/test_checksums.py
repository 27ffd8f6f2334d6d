"""One byte flipped, a file cut, an older version in its place: every reader names the file. One of each kind."""

import json
import shutil
import subprocess

import pandas as pd
import pytest
from support import analysis_files, miniature

from figures import style
from uniapl import discriminators
from uniapl.analyse import inputs
from uniapl.data.prompts import read_prompts, responses_of
from uniapl.errors import UserError
from uniapl.jsonl import read_json, read_jsonl, write_jsonl
from uniapl.models.checkpoints import load_policy, load_tokenizer
from uniapl.provenance import checksums, sha256_of
from uniapl.scorers.responses import each_response
from uniapl.tables import render
from uniapl.train.state import COMPLETE, last_checkpoint


def flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def older(path):
    """A file that is valid and another."""
    text = path.read_bytes()
    path.write_bytes(text + b"\n" if path.suffix != ".safetensors" else text[:-4] + bytes(4))


ROWS = [{"key": 1, "prompt": "p", "response": "r", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}]


def jsonl(folder):
    write_jsonl(folder / "rows.jsonl", ROWS)
    return folder / "rows.jsonl"


def parquet(folder):
    pd.DataFrame(ROWS)[["key", "response"]].to_parquet(folder / "rows.parquet")
    return folder / "rows.parquet"


def card(folder):
    (folder / "run.json").write_text('{"arm": "sft", "seed": 0}\n')
    return folder / "run.json"


def csv(folder):
    analysis_files.write(folder)
    return folder / "main.csv"


def checkpoint(name):
    def made(folder):
        miniature.policy().save_pretrained(folder)
        miniature.tokenizer().save_pretrained(folder)
        return folder / name

    return made


KINDS = {  # kind: who makes the file, who reads it
    "prompts": (jsonl, read_prompts),
    "responses": (jsonl, lambda path: list(each_response(path))),
    "expert": (jsonl, lambda path: responses_of(path, ROWS)),
    "rows of a table": (parquet, lambda path: list(each_response(path))),
    "rows of an analysis": (parquet, lambda path: inputs._read(path, "key response")),
    "card": (card, read_json),
    "cards": (jsonl, read_jsonl),
    "scores": (csv, lambda path: inputs._read(path, "arm")),
    "analysis": (csv, lambda path: render(path.parent, path.parent / "out")),
    "figure": (csv, lambda path: style.read(path, ["arm"], [])),
    "weights": (checkpoint("model.safetensors"), lambda path: load_policy(path.parent)),
    "configuration": (checkpoint("config.json"), lambda path: load_policy(path.parent)),
    "tokenizer": (checkpoint("tokenizer.json"), lambda path: load_tokenizer(path.parent)),
    "discriminator": (
        checkpoint("model.safetensors"),
        lambda path: discriminators.load("miniature", path.parent, seed=0),
    ),
}


@pytest.mark.parametrize("damage", [flipped, cut, older])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_not_as_it_was_written_is_named_by_who_reads_it(kind, damage, tmp_path):
    make, read = KINDS[kind]
    path = make(tmp_path)
    checksums.record(tmp_path)
    checksums.check(tmp_path)
    damage(path)
    with pytest.raises(UserError, match=f"^{path}: not as it was written .*: restore it, or remove it and run again"):
        read(path)


@pytest.mark.parametrize("damage", [flipped, cut, older])
def test_a_file_of_a_published_set_is_held_against_its_manifest(damage, tmp_path):
    (tmp_path / "tiny/analyse/headline").mkdir(parents=True)
    path = csv(tmp_path / "tiny/analyse/headline")
    known = {"sha256": {"analyse/headline/main.csv": sha256_of(path)}}
    (tmp_path / "tiny/manifest.json").write_text(json.dumps(known))
    style.read(path, ["arm"], [])
    damage(path)
    with pytest.raises(UserError, match=f"^{path}: not as it was written .*tiny/manifest.json has its SHA-256"):
        style.read(path, ["arm"], [])


@pytest.mark.parametrize("damage", [flipped, cut, older])
@pytest.mark.parametrize("name", ["optimizer.pt", "trainer_state.json"])
def test_a_damaged_state_is_left_for_the_one_before(name, damage, tmp_path, capsys):
    for step in (2, 4):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        for file in ("optimizer.pt", "trainer_state.json"):
            (folder / file).write_text(f"{file} {step}")
        checksums.record(folder)
        (folder / COMPLETE).touch()
    damage(tmp_path / "checkpoint-4" / name)
    alone = type("Alone", (), {"is_main_process": True, "wait_for_everyone": lambda self: None})()
    assert last_checkpoint(tmp_path, alone).name == "checkpoint-2"
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1 and f"checkpoint-4/{name}: not as it was written" in printed


def test_what_nobody_recorded_is_read_as_it_is_and_links_are_left_to_their_owner(tmp_path):
    path = jsonl(tmp_path)
    (tmp_path / "link.jsonl").symlink_to(path)
    checksums.record(tmp_path)
    assert not checksums.beside(tmp_path / "link.jsonl").exists()
    checksums.forget(path)
    flipped(path)
    checksums.check(tmp_path, path)


def test_the_line_is_one_that_sha256sum_checks(tmp_path):
    path = jsonl(tmp_path)
    checksums.record(path)
    command = [shutil.which("sha256sum"), "-c", checksums.beside(path).name]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0
    assert len(read_jsonl(path)) == 1
