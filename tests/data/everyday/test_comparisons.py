"""The discriminator's triples: who wrote what, from which answers; with scripted answers in a model's place."""

import random

import pytest

from uniapl.data.everyday import comparisons
from uniapl.data.everyday.comparisons import AGAIN, HELDOUT, Text, broken, triple
from uniapl.data.everyday.sampling import Sample
from uniapl.errors import UserError
from uniapl.jsonl import read_jsonl

PROMPTS = [
    {"key": f"k{i}", "prompt": f"About bread. {i}", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
    for i in range(13)
]


def answers(*numbers: int) -> list[dict]:
    """Two answers with commas to each of these prompts."""
    return [
        {
            "key": f"k{i}",
            "attempt": attempt,
            "model": "base",
            "response": f"Bread {i}, version {attempt}, needs time, flour, and water. Let it rise, slowly, at home.",
            "finish_reason": "stop",
            "prompt_tokens": 5,
            "completion_tokens": 9,
            "passed": False,
            "reason": "instructions",
            "broken": ["punctuation:no_comma"],
        }
        for i in numbers
        for attempt in range(2)
    ]


def scripted(asked: list):
    """In place of a model: an answer with commas, that names its temperature and its seed."""

    def load(teacher):
        def sample(prompts, seeds):
            asked.extend((teacher.temperature, prompt) for prompt in prompts)
            return [Sample(f"At {teacher.temperature}, seed {s}, bread.", True, 3, 5) for s in seeds]

        return sample

    return load


def build(tmp_path, rows, **given):
    asked: list = []
    summary = comparisons.build(PROMPTS, rows, scripted(asked), tmp_path / "comparisons.jsonl", **given)
    return read_jsonl(tmp_path / "comparisons.jsonl"), summary, asked


def test_every_triple_is_of_the_policies_that_it_names(tmp_path):
    rows, summary, asked = build(tmp_path, answers(*range(12)))
    assert summary["prompts"] == 12 and sum(summary["triples"].values()) == len(rows) == 36
    for row in rows:
        texts = {name: row[name] for name in ("reference", "chosen", "rejected")}
        assert len(set(texts.values())) == 3 and row["same"] != row["other"]
        assert (row["expert"], row["broken"]) == (row["same"] == "edited", row["other"] == "broken")
        for name, policy in (("reference", row["same"]), ("chosen", row["same"]), ("rejected", row["other"])):
            drawn = texts[name].startswith("At ")
            assert drawn == (policy in AGAIN) and ("," in texts[name]) == (policy in ("base", *AGAIN))
    assert {row["same"] for row in rows} >= {"edited", "base"}
    assert sum(row["expert"] for row in rows) == 24
    assert all(count == sum(p == prompt for _, p in asked) for prompt, count in asked_of(asked).items())


def asked_of(asked: list) -> dict[str, int]:
    """How often each prompt was asked again: as often as its one policy's number says."""
    counts = {temperature: count for temperature, count in AGAIN.values()}
    found: dict[str, int] = {}
    for temperature, prompt in asked:
        assert found.setdefault(prompt, counts[temperature]) == counts[temperature]
    return found


def test_a_prompt_is_held_out_whole_and_the_same_seed_gives_the_same_file(tmp_path):
    rows, summary, _ = build(tmp_path / "a", answers(*range(12)))
    heldout = {row["prompt"] for row in rows if row["split"] == "heldout"}
    assert len(heldout) == 12 // HELDOUT
    assert not heldout & {row["prompt"] for row in rows if row["split"] == "train"}
    again, other = (build(tmp_path / str(seed), answers(*range(12)), seed=seed)[1] for seed in (0, 1))
    assert again["sha256"] == summary["sha256"] != other["sha256"]


def test_prompts_with_one_answer_are_passed_over_and_none_is_an_error(tmp_path):
    _, summary, _ = build(tmp_path, answers(1, 2, 3)[:-1], asked=9)
    assert summary["prompts"] == 2
    assert build(tmp_path, answers(*range(12)), asked=5)[1]["prompts"] == 5
    with pytest.raises(UserError, match="no prompt has two answers that could be edited"):
        build(tmp_path, answers(1)[:1])


def test_the_rejected_text_is_of_another_answer_than_the_reference():
    texts = {"edited": [Text("a", "0"), Text("b", "1")], "base": [Text("a, raw", "0"), Text("b, raw", "1")]}
    for seed in range(20):
        found = triple(texts, "edited", "base", random.Random(seed))
        assert found["rejected"][0] == found["chosen"] != found["reference"]
    assert triple(texts, "greedy", "base", random.Random(0)) is None


def test_a_broken_text_keeps_its_lines_and_loses_words():
    text = "\n".join(f"Line {i} says one thing. It then says another of it." for i in range(20))
    for seed in range(9):
        found = broken(text, random.Random(seed))
        assert found != text and 0.8 < len(found.split()) / len(text.split()) < 1.0
        assert found.count("\n") in (19, 20)
        assert set(found.split()) <= set(text.split())
