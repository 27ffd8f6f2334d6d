"""The discriminator on the policy's own first layers: what it copies, reads, saves and learns."""

import dataclasses
import json
import types

import pytest
import torch
from support import miniature as world
from support.settings import settings
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from baselines import layers_discriminator
from uniapl import discriminators
from uniapl.config import Compute, Run
from uniapl.config.job import Job
from uniapl.discriminators import layers, pairs
from uniapl.errors import UserError
from uniapl.jsonl import write_jsonl

LAYERS, TOKENS = 1, 12
END, PAD = "<|endoftext|>", "<|pad|>"


@pytest.fixture(scope="module")
def tokenizer():
    """The miniature's, with the padding token beside the end that a real policy's has."""
    return world.tokenizer()


@pytest.fixture(scope="module", params=["llama", "qwen3"])
def start(request, tokenizer, tmp_path_factory):
    """A policy's start checkpoint, of each family."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "qwen3":
        policy = world.policy(3)
    else:
        torch.manual_seed(3)
        shape = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4}
        ends = {"pad_token_id": tokenizer.pad_token_id, "eos_token_id": tokenizer.eos_token_id}
        config = LlamaConfig(
            vocab_size=len(tokenizer), num_key_value_heads=2, max_position_embeddings=256, **shape, **ends
        )
        policy = LlamaForCausalLM(config)
    policy.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def saved(start, tokenizer, tmp_path):
    """A discriminator's folder, its head large enough that scores differ."""
    torch.manual_seed(0)
    model = layers.from_start(start, LAYERS, TOKENS)
    model.score.weight.data.normal_()
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return tmp_path


def test_the_layers_are_the_policys_own(start):
    copied = layers.from_start(start, LAYERS, TOKENS).base_model.state_dict()
    policy = weights_of(start)
    assert {name.split(".")[1] for name in copied if name.startswith("layers.")} == {str(i) for i in range(LAYERS)}
    assert all(torch.equal(value, policy[name]) for name, value in copied.items())


def weights_of(folder) -> dict:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).base_model.state_dict()


def test_a_folder_alone_is_a_frozen_discriminator_of_its_kind(saved):
    assert discriminators.kind_of(saved) == "layers"
    loaded = discriminators.load("layers", saved, seed=0)
    scores = loaded.score(*world.texts())
    assert torch.equal(discriminators.validated_scores(scores, 6), scores) and scores.std() > 0
    assert not any(p.requires_grad for p in loaded.model.parameters())


@pytest.mark.parametrize("kind", ["miniature", "polar"])
def test_a_kind_that_the_folder_does_not_hold_is_refused(saved, kind):
    job = types.SimpleNamespace(
        run=types.SimpleNamespace(arm="own", seed=0), discriminator=saved, base=None, polar=None
    )
    with pytest.raises(UserError, match=f"arm own asks for the discriminator '{kind}', and .* holds 'layers'"):
        discriminators.load_discriminator(job, kind)
    assert discriminators.load_discriminator(job, "layers").score(*world.texts()).shape == (6,)


def test_a_shared_prefix_changes_no_score(saved):
    """Three prompts with four rollouts each, lengths as they come, against each row computed whole."""
    loaded = discriminators.load("layers", saved, seed=0)
    prompts, references, responses = world.texts(12)
    groups = [(prompts[i // 4], references[i // 4], responses[i]) for i in range(12)]
    rows = loaded.encode(*map(list, zip(*groups, strict=True)))
    assert len({row.prefix for row in rows}) == 3
    shared, whole = (pairs.score(loaded.model, rows, batch=5, share=share) for share in (True, False))
    torch.testing.assert_close(shared, whole, rtol=1e-5, atol=1e-5)


def test_the_reference_comes_first_and_no_text_can_write_a_mark(tokenizer):
    encode = layers.encoder(tokenizer, TOKENS)
    pad, end = tokenizer.pad_token_id, tokenizer.eos_token_id
    prompt, reference, response = (texts[0] for texts in world.texts(1))
    (row,) = encode([prompt], [reference], [response])
    ids = [pairs.text_ids(tokenizer, [text])[0] for text in (prompt, reference, response)]
    newline = tokenizer.encode("\n", add_special_tokens=False)[:1]
    assert list(row.prefix) == [*ids[0], *newline, *ids[1][:TOKENS], pad, *ids[0], *newline]
    assert list(row.rest) == [*ids[2][:TOKENS], end]
    (forged,) = encode([prompt], [reference], [f"{tokenizer.pad_token}{tokenizer.eos_token}"])
    assert pad not in forged.rest and forged.rest.count(end) == 1


def test_what_cannot_be_one_is_refused_in_one_line(start, tokenizer, tmp_path):
    with pytest.raises(UserError, match="layers is 9, and .* has [23]: choose"):
        layers.from_start(start, 9, TOKENS)
    with pytest.raises(UserError, match="holds no checkpoint"):
        layers.from_start(tmp_path, 1, TOKENS)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    with pytest.raises(UserError, match="holds a gpt2; its first layers can be taken of llama, qwen3"):
        layers.from_start(tmp_path, 1, TOKENS)
    same = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer.backend_tokenizer, eos_token=tokenizer.eos_token, pad_token=tokenizer.eos_token
    )
    with pytest.raises(UserError, match="needs a padding token beside the end token"):
        layers.encoder(same, TOKENS)


def triples(n: int) -> list[dict]:
    """The expert's text is the reference's; another policy's has the words in reverse."""
    rows = []
    for number, row in enumerate(world.rows(n)):
        text = row["response"]
        other = " ".join(reversed(text.split()))
        split = "heldout" if number % 4 == 0 else "train"
        rows.append(
            {
                "prompt": row["prompt"],
                "reference": text,
                "chosen": text,
                "rejected": other,
                "expert": True,
                "broken": False,
                "split": split,
            }
        )
    return rows


def test_training_learns_and_reports_accuracy_and_auc(start, tmp_path):
    write_jsonl(tmp_path / "comparisons.jsonl", triples(24))
    own = settings(layers_discriminator, layers=LAYERS, steps=25, pairs_per_step=6, response_tokens=40, warmup=0)
    job = job_of(own, start, tmp_path)
    trainer = layers_discriminator.build(job)
    before = trainer.evaluate()
    trainer.train()
    after = trainer.evaluate()
    assert trainer.args.per_device_train_batch_size == 2 and trainer.args.gradient_accumulation_steps == 3
    assert after["eval_loss"] < before["eval_loss"] and after["eval_accuracy"] >= 0.8 and after["eval_auc"] >= 0.8
    trainer.save_model(str(tmp_path / "model"))
    loaded = discriminators.load("layers", tmp_path / "model", seed=0)
    heldout = [row for row in triples(24) if row["split"] == "heldout"]
    prompts, references = [row["prompt"] for row in heldout], [row["reference"] for row in heldout]
    chosen, rejected = (loaded.score(prompts, references, [row[s] for row in heldout]) for s in ("chosen", "rejected"))
    assert (chosen > rejected).float().mean().item() == pytest.approx(after["eval_accuracy"])


def job_of(own, start, folder) -> Job:
    from uniapl.data.miniature.world import World

    compute = dataclasses.replace(Compute(), rows_per_device=4)
    run = Run("smoke", "discriminator", 0, layers_discriminator, own, World(), None, compute)
    return Job(run, folder, start, folder / "state")
