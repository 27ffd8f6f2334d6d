"""General ability without a hub: what counts as an answer, which texts are read, that two machines ask the same."""

import math

import pytest
import torch
from support import miniature

from uniapl.errors import UserError
from uniapl.generate import suite
from uniapl.generate.tasks import general
from uniapl.generate.tasks.general import correct, passages
from uniapl.jsonl import read_jsonl


@pytest.mark.parametrize(
    "answer, options, response, right",
    [
        ("6", [], "6 + 0 = 6", True),
        ("6", [], "The sum of 6 and 1 is 7.", False),  # the last number is its answer
        ("1200", [], "That makes 1,200.", True),
        ("6", [], "It is 6.0", True),
        ("-2", [], "= -2", True),
        ("6", [], "six", False),
        ("Yes", ["Yes", "No"], "Yes, it does. No doubt.", True),
        ("No", ["Yes", "No"], "Nothing follows. no", True),  # whole words
        ("Yes", ["Yes", "No"], "I cannot say.", False),
        ("Tee-jay", ["Tee-jay", "Tee"], "It is tee-jay.", True),
        ("pil", [], "lip -> PIL.", True),
        ("pil", [], "pill", False),
        ("by, aged, the", [], "Reversed: by, aged, the", True),
    ],
)
def test_what_a_response_answers(answer, options, response, right):
    assert correct(answer, options, response) is right


def test_the_questions_are_the_recorded_ones_and_every_answer_can_be_given():
    rows = read_jsonl(general.REASONING)
    general.check_hash(general.REASONING, general.SHA256["reasoning"])
    assert {row["task"] for row in rows} == {name_of(task) for task in suite.SUITES["everyday"] if is_question(task)}
    for row in rows:
        assert correct(row["answer"], row["options"], row["answer"])
        assert not row["options"] or row["answer"] in row["options"]
    assert len({(row["task"], row["question"]) for row in rows}) == len(rows)


def is_question(task) -> bool:
    return task.name.startswith("uniapl_reasoning_")


def name_of(task) -> str:
    return task.name.removeprefix("uniapl_reasoning_")


def test_a_changed_file_is_refused(tmp_path, monkeypatch):
    changed = tmp_path / "reasoning.jsonl"
    changed.write_text(general.REASONING.read_text().replace("6", "7", 1))
    monkeypatch.setattr(general, "REASONING", changed)
    with pytest.raises(UserError, match="has SHA-256"):
        general.questions("product")


def test_passages_are_whole_paragraphs_in_order():
    text = "\n\n".join(f"Paragraph {i}\nhas {'words ' * 80}end." for i in range(9))
    found = passages(text)
    joined = " ".join(" ".join(found).split())
    assert " ".join(text.split()).startswith(joined) and all(len(one) >= general.PASSAGE for one in found)
    story = general.story()["test"]["text"]
    assert len(story) > 20 and story[0].startswith("Little though they seem") and "\n" not in story[0].split("\n\n")[0]


def test_the_answers_of_physicians_come_out_of_the_package_or_one_line_says_how():
    pytest.importorskip("eval_framework", reason="envs/small.txt")
    texts = general.physicians()["test"]["text"]
    low, high = general.LENGTHS
    assert len(texts) == len(set(texts)) > 90 and all(low <= len(text) <= high for text in texts)


def test_perplexity_is_per_word_and_of_each_text_alone():
    found = general.perplexity({"text": "one two\nthree four"}, [-4 * math.log(20.0)])
    assert found["word_perplexity_of_text"] == pytest.approx(20)


def test_the_harness_runs_both_kinds_and_measures_the_text_as_the_model_does():
    """One question and one text through lm-eval; the text's perplexity against the model's own log-probabilities."""
    from lm_eval.models.huggingface import HFLM

    model, tokenizer = miniature.policy(), miniature.tokenizer()
    lm = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=4, max_length=2048, device="cpu")
    asked = [task for task in suite.SUITES["everyday"] if name_of(task) == "product" or "story" in task.name]
    found = suite.evaluate(lm, asked, limit=2)
    rows = suite.rows(found).set_index(["task", "doc_id"])
    assert {metric for metric in rows.metric} == {task.metric for task in asked}
    text = found["samples"]["uniapl_text_story"][0]["doc"]["text"]
    ids = torch.tensor([[lm.prefix_token_id, *tokenizer(text, add_special_tokens=False)["input_ids"]]])
    logprobs = model(ids).logits[0, :-1].log_softmax(-1).gather(1, ids[0, 1:, None])
    expected = math.exp(-logprobs.sum().item() / len(text.split()))
    assert rows.value[("uniapl_text_story", 0)] == pytest.approx(expected, rel=1e-4)
