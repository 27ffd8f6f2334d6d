"""A checkpoint is pushed with its model card, to a folder or a hub repository, and nothing moves without --yes."""

import json
import shutil

import pandas as pd
import pytest
import yaml
from huggingface_hub import ModelCard
from support.places import ROOT
from transformers import AutoModelForCausalLM

from uniapl.config import arm_of, load_scale
from uniapl.config.card import Cost, RunCard
from uniapl.errors import UserError
from uniapl.provenance import checksums, sha256_of
from uniapl.publish import push
from uniapl.publish.model_card import model_card

COST = Cost(optimizer_steps=3, seconds=12.0)


@pytest.fixture
def run(tmp_path, policy):
    """A finished training of scale smoke, and an analysis beside it."""
    root = tmp_path / "results/local/smoke"
    folder = root / "train/uniapl/seed0"
    shutil.copytree(policy, folder / "model")
    (folder / "history.csv").write_text("step,loss\n1,2.0\n")
    measured = dict(cost=COST, heldout={}, weights_sha256=sha256_of(folder / "model/model.safetensors"))
    card = RunCard.for_run(arm_of(load_scale("smoke"), "uniapl", 0), **measured, device="cpu", commit="c0ffee")
    card.write(folder / "run.json")
    checksums.record(folder / "model", folder / "run.json", folder / "history.csv")
    analysis = root / "analyse/headline"
    analysis.mkdir(parents=True)
    table = pd.read_csv(ROOT / "results/published/tiny/analyse/headline/main.csv")
    table.to_csv(analysis / "main.csv", index=False)
    return folder


def test_without_yes_the_card_and_the_files_are_printed_and_nothing_is_written(run, tmp_path, capsys):
    push.main([str(run), "--to", str(tmp_path / "out")])
    said = capsys.readouterr().out
    assert "# uniapl, seed 0, scale smoke" in said and "model.safetensors" in said
    assert said.endswith(f"nothing was written or sent: --yes pushes these files to {tmp_path / 'out'}\n")
    assert not (tmp_path / "out").exists()


def test_a_pushed_folder_is_a_checkpoint_with_a_card_that_the_hub_reads(run, tmp_path):
    push.main([str(run), "--to", str(tmp_path / "out"), "--yes"])
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "out").num_parameters() > 0
    card = ModelCard.load(tmp_path / "out/README.md")
    assert card.data.license == "apache-2.0" and "uniapl-repro" in card.data.tags
    assert card.data.library_name == "transformers"
    for part in ("L = w_pref (1 - mu) L_GRPO + w_demo mu L_SFT + lambda L_adv", "| lam | 0.1 |", "arXiv 2509.25148"):
        assert part in card.text
    main = pd.read_csv(ROOT / "results/published/tiny/tables/headline/main.csv", dtype=str)
    of = (main.arm == "uniapl") & (main.benchmark == "trained") & (main.metric == "prompt_strict")
    row = main[of & (main.decoding == "greedy")].squeeze()
    assert f"| trained types | prompt_strict | {row.estimate} [{row.low}, {row.high}] | 5 | 384 |" in card.text
    assert "not an assistant" in card.text and "trained from scratch" in card.text
    assert json.loads((tmp_path / "out/run.json").read_text())["arm"] == "uniapl"
    assert not [path.name for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]
    with pytest.raises(SystemExit):
        push.main([str(run), "--to", str(tmp_path / "out"), "--yes"])


def test_a_hub_repository_is_private_and_gets_the_folder(run, monkeypatch, capsys):
    calls = []

    class Api:
        def create_repo(self, repo_id, **options):
            calls.append(("create", repo_id, options))

        def upload_folder(self, *, repo_id, folder_path, commit_message):
            names = {path.name for path in push.Path(folder_path).iterdir()}
            calls.append(("upload", repo_id, {"README.md", "model.safetensors", "run.json"} <= names))

    monkeypatch.setattr("huggingface_hub.HfApi", Api)
    push.main([str(run), "--to", "hub:someone/policy", "--yes"])
    create, upload = calls
    assert create == ("create", "someone/policy", {"private": True, "exist_ok": True})
    assert upload == ("upload", "someone/policy", True)
    assert "pushed to hub:someone/policy, private until you change that" in capsys.readouterr().out


def test_a_file_with_a_token_and_a_damaged_checkpoint_are_refused(run, tmp_path):
    config = run / "model/config.json"
    good = config.read_text()
    config.write_text(json.dumps(json.loads(good) | {"note": "hf_" + "a" * 34}))
    with pytest.raises(UserError, match="config.json"):  # not as it was written
        push.gather(run, None, tmp_path)
    checksums.record(run / "model")
    with pytest.raises(UserError, match="config.json holds what looks like a token"):
        push.gather(run, None, tmp_path)


def test_a_licence_that_nobody_recorded_must_be_named():
    run = arm_of(load_scale("smoke"), "grpo", 0)
    card = json.loads(json.dumps({**run.describe(), "start_arm": "base", "device": "cpu", "commit": "x"}))
    card |= {"fingerprint": "x", "weights_sha256": "x" * 64, "cost": {}, "seed": 0}
    with pytest.raises(UserError, match="name it with --licence"):
        model_card(card, ROOT / "mine", "files")
    told = model_card(card, ROOT / "mine", "files", licence="mit")
    assert yaml.safe_load(told.split("---")[1])["license"] == "mit" and "Not evaluated" in told
