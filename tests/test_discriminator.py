"""The frozen discriminator: its input layout, and scores that depend on nothing but the texts."""

import miniature
import pytest
import torch
from transformers import Qwen3Config, Qwen3ForSequenceClassification

from uniapl.discriminator import Discriminator, Encoder, layout

MARKS = {"newline": 90, "separator": 91, "end": 92}


@pytest.fixture(scope="module")
def discriminator():
    tokenizer = miniature.tokenizer()
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        intermediate_size=48,
        num_labels=1,
        pad_token_id=tokenizer.pad_token_id,
    )
    return Discriminator(Qwen3ForSequenceClassification(config), Encoder(tokenizer, 56))


def texts(n=6):
    rows = miniature.rows()[:n]
    return [r["prompt"] for r in rows], [r["response"] for r in rows], [r["response"][::2] for r in rows]


def test_the_reference_comes_first_and_each_half_repeats_the_prompt():
    ids = layout([1, 2], [3, 4], [5], **MARKS, limit=100)
    assert ids == [1, 2, 90, 3, 4, 91, 1, 2, 90, 5, 92]


def test_a_prompt_that_is_too_long_keeps_its_last_tokens():
    # room = (17 - 4 - 2 - 1) // 2 = 5 tokens of the prompt per half: 2 * 5 + 2 + 1 + 4 marks = 17
    ids = layout(list(range(10)), [30, 31], [40], **MARKS, limit=17)
    assert ids == [5, 6, 7, 8, 9, 90, 30, 31, 91, 5, 6, 7, 8, 9, 90, 40, 92]
    assert layout([1, 2], [3] * 9, [4] * 9, **MARKS, limit=20)[0] == 90  # no room: no prompt, not the whole of it


def test_a_score_does_not_depend_on_batch_order_or_neighbours(discriminator):
    prompts, references, responses = texts()
    together = discriminator.score(prompts, references, responses)
    alone = [discriminator.score([p], [r], [y]).item() for p, r, y in zip(prompts, references, responses, strict=True)]
    assert together.tolist() == pytest.approx(alone, abs=1e-5)
    backwards = discriminator.score(prompts[::-1], references[::-1], responses[::-1])
    assert backwards.flip(0).tolist() == pytest.approx(alone, abs=1e-5)
    assert together.std() > 0


def test_reference_and_response_are_not_interchangeable(discriminator):
    prompts, references, responses = texts()
    assert not torch.equal(
        discriminator.score(prompts, references, responses),
        discriminator.score(prompts, responses, references),
    )


def test_as_a_reward_function_it_gives_the_same_scores(discriminator):
    prompts, references, responses = texts()
    rewards = discriminator.discriminate(
        prompts=[[{"role": "user", "content": p}] for p in prompts],
        completions=[[{"role": "assistant", "content": y}] for y in responses],
        demonstration=references,
        completion_ids=None,
    )
    assert rewards == discriminator.score(prompts, references, responses).tolist()


def test_it_is_frozen(discriminator):
    before = miniature.weights(discriminator.model).clone()
    prompts, references, responses = texts()
    assert not discriminator.score(prompts, references, responses).requires_grad
    assert not discriminator.model.training
    assert not any(p.requires_grad for p in discriminator.model.parameters())
    assert torch.equal(before, miniature.weights(discriminator.model))
