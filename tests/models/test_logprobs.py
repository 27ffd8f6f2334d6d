"""Per-token log-probabilities against the plain definition."""

import pytest
import torch
from support import miniature
from support.allocated import most_bytes
from transformers import Qwen3Config, Qwen3ForCausalLM

from uniapl.models import logprobs
from uniapl.models.logprobs import token_logprobs

PAIRS = [([5, 6, 7], [8, 9]), ([10], [11, 12, 13, 14, 1]), ([15, 16], [17])]


def plain(model, prompt, response):
    """log softmax of the full logits at every position, one row at a time."""
    with torch.inference_mode():
        logits = model(torch.tensor([prompt + response])).logits[0]
    rows = torch.log_softmax(logits.double(), -1)
    return [rows[len(prompt) + t - 1, token].item() for t, token in enumerate(response)]


def test_values_are_those_of_the_full_softmax_in_the_order_of_the_input():
    model = miniature.policy()
    for (prompt, response), got in zip(PAIRS, token_logprobs(model, PAIRS), strict=True):
        assert got.tolist() == pytest.approx(plain(model, prompt, response), abs=1e-5)


@pytest.mark.parametrize(("batch", "chunk"), [(1, 4096), (2, 3), (64, 1)])
def test_values_do_not_depend_on_batching_chunking_or_neighbours(monkeypatch, batch, chunk):
    model = miniature.policy()
    together = token_logprobs(model, PAIRS)
    monkeypatch.setattr(logprobs, "LOGITS", 4 * model.lm_head.weight.shape[0] * chunk)  # float32
    for a, b in zip(together, token_logprobs(model, PAIRS, batch=batch), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=2e-6)


def test_probabilities_of_all_next_tokens_add_up_to_one():
    model, n = miniature.policy(), len(miniature.tokenizer())
    values = torch.cat(token_logprobs(model, [([5, 6], [token]) for token in range(n)]))
    assert values.exp().sum().item() == pytest.approx(1, abs=1e-4)


def test_a_vocabulary_of_151936_takes_less_than_150_mb():
    # 105 positions x 151,936 x 4 bytes = 63.8 MB of logits and as many of log-softmax; all 1,000 at once: 1,215 MB
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "head_dim": 16}
    heads = {"num_attention_heads": 1, "num_key_value_heads": 1}
    model = Qwen3ForCausalLM(Qwen3Config(vocab_size=151_936, **sizes, **heads))
    pairs = [([1, 2], list(range(250)))] * 4
    assert 2 * 63.8e6 < most_bytes(lambda: token_logprobs(model, pairs)) < 130e6


def test_the_miniature_s_positions_stay_in_one_piece():
    # 693 words: 64e6 / (4 x 693) = 23,088 positions at a time, above the 64 rows x 48 tokens that a batch has
    assert logprobs.LOGITS // (4 * 693) > 64 * 48
