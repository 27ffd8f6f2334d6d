"""A world of your own files: what is written, what is optional, and what is refused with file and row."""

import json

import pytest

from uniapl.data.files.rows import read
from uniapl.errors import UserError

ROW = {"prompt": "Say a.", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}


def world(folder, expert=None, **changes):
    """One prompt per split with the keys 1, 2, 3; `changes` replace fields of a split's row."""
    paths = {}
    for key, split in enumerate(("train", "validation", "test"), start=1):
        paths[split] = folder / f"{split}.jsonl"
        paths[split].write_text(json.dumps({"key": key, **ROW, **changes.get(split, {})}) + "\n")
    if expert is not None:
        paths["expert"] = folder / "expert.jsonl"
        paths["expert"].write_text("".join(json.dumps(row) + "\n" for row in expert))
    return paths


def test_prompts_alone_are_a_world_and_those_without_benchmark_are_of_the_headline(tmp_path):
    files, summary = read(world(tmp_path))
    assert list(files) == ["train.jsonl", "validation.jsonl", "test.jsonl"]
    assert files["test.jsonl"] == [{"key": 3, **ROW, "benchmark": "trained"}]
    assert summary == {
        "rows": {"train": 1, "validation": 1, "test": 1},
        "demonstrations": 0,
        "demonstrations that follow their instructions": 0,
    }


def test_demonstrations_and_an_expert_are_taken_where_they_are(tmp_path):
    expert = [{"key": 3, "response": "a"}, {"key": 2, "response": "b"}, {"key": 9, "response": "unused"}]
    files, summary = read(world(tmp_path, expert, train={"demonstration": "a, b"}))
    assert files["expert.jsonl"] == [{"key": 2, "response": "b"}, {"key": 3, "response": "a"}]
    assert files["train.jsonl"][0]["demonstration"] == "a, b"
    assert (summary["demonstrations"], summary["demonstrations that follow their instructions"]) == (1, 0)


@pytest.mark.parametrize(
    "expert, changes, message",
    [
        (None, {"test": {"key": 1}}, "1 keys are in two of them, the first is 1: rename it in one"),
        (None, {"train": {"prompt": None}}, r"train.jsonl: row 1, key 1: prompt is missing"),
        (None, {"test": {"instruction_id_list": ["punctuation:no_coma"]}}, "test.jsonl: row 1.*did you mean"),
        (None, {"test": {"benchmark": "other"}}, "test.jsonl: no prompt of benchmark 'trained'"),
        (None, {"train": {"demonstration": " "}}, "train.jsonl: key 1 has no demonstration, and others have"),
        ([{"key": 2, "response": "b"}], {}, "expert.jsonl: no response to 1 validation and test prompts.* is 3"),
        ([{"key": 2, "response": 4}], {}, "expert.jsonl: row 1: needs a key of its own and a response"),
    ],
)
def test_a_mistake_is_one_line_with_file_and_row(expert, changes, message, tmp_path):
    with pytest.raises(UserError, match=message):
        read(world(tmp_path, expert, **changes))
