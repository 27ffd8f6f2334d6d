"""Checkpoints of the hub as arms: links, a template without thinking, and no sampling settings of their own."""

import json

import pandas as pd
import pytest
import torch
from support import gguf_file, miniature, polar_world
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from uniapl.config import Run, arm_of, load_scale
from uniapl.config.runs import Runs
from uniapl.costs.estimate import Estimate
from uniapl.costs.gpus import GPUS
from uniapl.data.miniature.world import World
from uniapl.errors import UserError
from uniapl.generate import responses as generate
from uniapl.generate.suite import load
from uniapl.jsonl import write_jsonl
from uniapl.models import harness
from uniapl.models.checkpoints import messages
from uniapl.provenance import sha256_of
from uniapl.train import fetch as fetched

THINKING = "{% if enable_thinking is defined and enable_thinking is false %}<no thought>{% endif %}"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A folder that stands for the hub, with a miniature in the place of Qwen3-0.6B that samples and can think."""
    folder = tmp_path / "hub/Qwen/Qwen3-0.6B"
    policy, tokenizer = miniature.policy(), miniature.tokenizer()
    policy.generation_config = GenerationConfig(do_sample=True, temperature=0.6, top_k=20, top_p=0.95)
    policy.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    template = (folder / "chat_template.jinja").read_text()
    (folder / "chat_template.jinja").write_text(template + THINKING)
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    monkeypatch.setenv("UNIAPL_HUB", str(tmp_path / "hub"))
    return folder


@pytest.fixture
def base(hub, tmp_path):
    """The folder of the arm `base` at scale paper, fetched from there."""
    fetched.main(["--scale", "paper", "--arm", "base", "--out", str(tmp_path / "base")])
    return tmp_path / "base"


def test_the_weights_are_those_of_the_hub_and_take_no_second_place_on_the_disk(base, hub):
    loaded = AutoModelForCausalLM.from_pretrained(base / "model")
    assert (miniature.weights(loaded) == miniature.weights(miniature.policy())).all()
    assert (base / "model/model.safetensors").resolve() == (hub / "model.safetensors").resolve()
    assert not (base / "model/pytorch_model.bin").exists()


def test_thinking_is_off_in_the_template_and_on_in_the_hub_s(base, hub):
    chats = [
        AutoTokenizer.from_pretrained(folder).apply_chat_template(messages("Hi."), tokenize=False)
        for folder in (base / "model", hub)
    ]
    assert chats[0] == chats[1] + "<no thought>"


def test_no_sampling_setting_comes_with_the_checkpoint(base):
    settings = GenerationConfig.from_pretrained(base / "model")
    assert settings.eos_token_id == miniature.tokenizer().eos_token_id
    assert [settings.temperature, settings.top_k, settings.top_p] == [None] * 3


def test_every_end_token_that_the_checkpoint_states_is_kept(hub, tmp_path):
    """Qwen3's generation_config.json has two; its config.json has one."""
    path = hub / "generation_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"eos_token_id": [1, 7], "temperature": 0.6}))
    fetched.link(hub, tmp_path / "model", 256)
    settings = GenerationConfig.from_pretrained(tmp_path / "model")
    assert settings.eos_token_id == [1, 7] and settings.temperature is None
    path.unlink()
    fetched.link(hub, tmp_path / "other", 256)
    settings = GenerationConfig.from_pretrained(tmp_path / "other")
    assert settings.eos_token_id == miniature.tokenizer().eos_token_id


def test_the_card_names_the_source_and_that_nothing_was_spent(base):
    card, run = json.loads((base / "run.json").read_text()), arm_of(load_scale("paper"), "base", 0)
    assert card["fingerprint"] == run.fingerprint and card["settings"]["model"] == "Qwen/Qwen3-0.6B"
    assert card["source"]["id"] == "Qwen/Qwen3-0.6B" and card["source"]["revision"] == "local"
    assert set(card["cost"].values()) == {0}
    assert (base / "history.csv").read_text() == "step\n"


def test_fetching_again_replaces_what_an_interrupted_one_left(base, hub):
    (base / "run.json").unlink()
    (base / "model.new").mkdir()
    fetched.main(["--scale", "paper", "--arm", "base", "--out", str(base)])
    assert (base / "run.json").exists() and not (base / "model.new").exists()


def test_a_policy_without_a_chat_template_is_refused(hub, tmp_path):
    (hub / "chat_template.jinja").unlink()
    with pytest.raises(UserError, match="no chat template"):
        fetched.link(hub, tmp_path / "model", 256)


def test_what_is_no_policy_keeps_its_own_tokenizer(tmp_path):
    polar_world.write(tmp_path / "polar")
    fetched.link(tmp_path / "polar", tmp_path / "model", 256)
    assert (tmp_path / "model/tokenizer.json").is_symlink()


def test_a_polar_that_no_training_could_load_ends_its_fetch(tmp_path):
    polar_world.write(tmp_path / "polar", num_hidden_layers=3)
    with pytest.raises(UserError, match="other tensors than its config.json asks for: model.layers.2"):
        fetched.link(tmp_path / "polar", tmp_path / "model", 256)
    (tmp_path / "polar/tokenizer.json").unlink()
    with pytest.raises(UserError, match="has no tokenizer.json"):
        fetched.link(tmp_path / "polar", tmp_path / "other", 256)


def test_a_link_reaches_its_file_where_the_results_are_a_link_to_a_deeper_folder(tmp_path):
    (tmp_path / "disk/of/mine/base/source").mkdir(parents=True)
    (tmp_path / "disk/of/mine/base/source/weights").touch()
    (tmp_path / "results").symlink_to(tmp_path / "disk/of/mine")
    model = tmp_path / "results/base/model"
    model.mkdir()
    to = fetched.target((model.parent / "source/weights").resolve(), model)
    (model / "weights").symlink_to(to)
    assert (model / "weights").is_file() and not to.is_absolute()


# Comparators ------------------------------------------------------------------------------------------


def test_a_comparator_generates_on_the_gpus_of_its_size():
    runs = Runs(load_scale("paper"))
    assert set(runs.comparators) == {"qwen3_4b", "qwen3_32b", "teacher"}
    assert runs.needs("generate", "teacher").gpus == 8 and runs.needs("generate", "uniapl").gpus == 1


def test_log_probabilities_of_a_comparator_which_fit_no_gpu_are_not_planned():
    runs = Runs(load_scale("paper"))
    estimate = Estimate(runs, runs.extended, GPUS["h100"], 8)
    assert not [line for line in estimate.does_not_fit if "teacher" in line or "qwen3" in line]


def test_responses_alone_are_kept_as_such(policy, tmp_path, monkeypatch):
    rows = list(miniature.rows()[:4])
    write_jsonl(tmp_path / "test.jsonl", [{k: v for k, v in row.items() if k != "response"} for row in rows])
    write_jsonl(tmp_path / "expert.jsonl", [{"key": row["key"], "response": row["response"]} for row in rows])

    def of_folder(folder, memory):
        """vLLM is the border: transformers reads what it would load, and knows no presence penalty."""
        lm = load(str(folder), 4)
        generate_until = lm.generate_until

        def without_penalty(requests, **kwargs):
            for request in requests:
                request.args[1].pop("presence_penalty", None)
            return generate_until(requests, **kwargs)

        lm.generate_until = without_penalty
        return lm

    monkeypatch.setattr(harness, "vllm_harness", of_folder)
    line = ["--scale", "smoke", "--checkpoint", policy, "--base", tmp_path / "none", "--responses-only"]
    line += ["--prompts", tmp_path / "test.jsonl", "--expert", tmp_path / "expert.jsonl", "--out", tmp_path / "out"]
    generate.main([str(part) for part in line])
    assert len(pd.read_parquet(tmp_path / "out/greedy.parquet")) == 4
    assert pd.read_parquet(tmp_path / "out/logprobs.parquet").empty
    assert json.loads((tmp_path / "out/harness.json").read_text())["backend"] == "vllm"


def test_a_gguf_file_is_a_policy_as_any_other_and_moves_with_its_folder(tmp_path):
    gguf_file.write(tmp_path / "tiny.gguf", context=512)
    settings = fetched.Settings(model=str(tmp_path / "tiny.gguf"), context=256)
    run = Run(scale="", arm="base", seed=0, method=fetched, settings=settings, world=World(), start=None)
    (tmp_path / "base").mkdir()
    fetched.fetch(run, tmp_path / "base")
    (tmp_path / "base").rename(tmp_path / "moved")
    card = json.loads((tmp_path / "moved/run.json").read_text())
    assert card["source"]["sha256"] == sha256_of(tmp_path / "tiny.gguf")
    assert len(card["weights_sha256"]) == 64
    assert AutoTokenizer.from_pretrained(tmp_path / "moved/model").model_max_length == 256
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "moved/model").dtype == torch.float32
