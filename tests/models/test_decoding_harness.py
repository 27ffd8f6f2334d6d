"""lm-eval's model over the decoder: transformers' greedy answers, and what it leaves to transformers."""

import pytest
import torch
from lm_eval.api.instance import Instance
from support import miniature

from uniapl.models import decoding_harness, harness


def asked(n: int, **options) -> list[Instance]:
    chats = [row["prompt"] for row in miniature.chats(n)]
    texts = miniature.tokenizer().apply_chat_template(chats, add_generation_prompt=True, tokenize=False)
    options = {"until": [], "max_gen_toks": 12, **options}
    return [Instance("generate_until", {}, (text, dict(options)), i) for i, text in enumerate(texts)]


def model():
    """The miniature with layers so strong that a tied head does not repeat its input."""
    made = miniature.policy().eval()
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if "layers" in name and parameter.dim() > 1:
                parameter.mul_(15)
    return made


def test_greedy_answers_are_transformers_own():
    ours = decoding_harness.decoding_harness(model(), miniature.tokenizer(), 5)
    theirs = harness.model_harness(model(), miniature.tokenizer(), 5)
    found = ours.generate_until(asked(12, do_sample=False))
    assert found == theirs.generate_until(asked(12, do_sample=False)) and len(set(found)) > 3


@pytest.mark.parametrize(
    ("options", "own"),
    [
        ({"do_sample": False}, True),
        ({"do_sample": True, "temperature": 1.0, "top_p": 1.0, "top_k": 0}, True),
        ({"do_sample": True, "temperature": 0.7, "top_p": 0.8, "top_k": 20}, False),
        ({"do_sample": False, "until": ["a"]}, False),
    ],
    ids=["greedy", "everything", "top-p", "stop text"],
)
def test_what_the_sampler_does_not_do_is_transformers(monkeypatch, options, own):
    calls, sample = [], decoding_harness.sample
    monkeypatch.setattr(decoding_harness, "sample", lambda *a, **k: (calls.append(a), sample(*a, **k))[1])
    lm = decoding_harness.decoding_harness(model(), miniature.tokenizer(), 8)
    assert len(lm.generate_until(asked(4, **options))) == 4
    assert bool(calls) == own
