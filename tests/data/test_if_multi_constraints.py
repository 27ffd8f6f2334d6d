"""Rows of the training set are read, and never run."""

import pytest

from uniapl import checkers
from uniapl.data.public import ground_truth as if_multi_constraints
from uniapl.errors import UserError


def test_a_row_of_the_training_set_is_read_and_built():
    ids, kwargs = if_multi_constraints.read_ground_truth(
        "[{'instruction_id': ['detectable_format:sentence_hyphens', 'last_word:last_word_answer', "
        "'punctuation:no_comma'], 'kwargs': [None, {'last_word': 'brief', 'N': None}, None]}]",
        "row 3",
    )
    assert ids == ["detectable_format:sentence_hyphens", "last_word:last_word_answer", "punctuation:no_comma"]
    assert kwargs == [{}, {"last_word": "brief", "N": None}, {}]
    built = checkers.build_all(ids, kwargs, where="row 3")
    assert checkers.check(built, "Hello, world.-This is brief").strict == (True, True, False)
    assert checkers.check(built, "Hello world. This is brief").strict == (False, True, True)


def test_json_in_the_list_is_read_too():
    text = repr(['{"instruction_id": ["count:count_unique"], "kwargs": [null]}'])
    assert if_multi_constraints.read_ground_truth(text, "row 1") == (["count:count_unique"], [{}])


@pytest.mark.parametrize(
    "text",
    [
        "[{'instruction_id': ['count:count_unique'], 'kwargs': [open(%r, 'w')]}]",
        "[{'instruction_id': [__import__('pathlib').Path(%r).touch()], 'kwargs': [None]}]",
        "__import__('os').system('touch ' + %r)",
        "[x for x in [open(%r, 'w')]]",
        "(lambda: open(%r, 'w'))()",
        "[f\"{open(%r, 'w')}\"]",
        "import os; os.mknod(%r)",
    ],
)
def test_code_in_a_row_is_refused_and_not_run(tmp_path, text):
    proof = tmp_path / "run"
    with pytest.raises(UserError, match="^row 3: ground_truth is no literal of the form"):
        if_multi_constraints.read_ground_truth(text % str(proof), "row 3")
    assert not proof.exists()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is no literal"),
        ("[{'instruction_id': ['a'], 'kwargs': [None]}", "is no literal"),
        ("[" * 5000, "is no literal"),
        ("-" * 100_000 + "1", "is no literal"),
        ("'\ud800'", "is no literal"),
        ("{[]}", "is no literal"),
        ("['not json']", "is no literal"),
        (None, "must have the form"),
        ("[]", "must have the form"),
        ("[{}, {}]", "must have the form"),
        ("{'instruction_id': ['a'], 'kwargs': [None]}", "must have the form"),
        ("[{'instruction_id': ['a']}]", "must have the form"),
        ("[{'instruction_id': [], 'kwargs': []}]", "must be a list of ids"),
        ("[{'instruction_id': 'a', 'kwargs': [None]}]", "must be a list of ids"),
        ("[{'instruction_id': [1], 'kwargs': [None]}]", "must be a list of ids"),
        ("[{'instruction_id': ['a'], 'kwargs': [3]}]", "must be a list of dictionaries or None"),
        ("[{'instruction_id': ['a'], 'kwargs': None}]", "must be a list of dictionaries or None"),
        ("[{'instruction_id': ['a', 'b'], 'kwargs': [None]}]", "has 2 in instruction_id but 1 in kwargs"),
    ],
)
def test_a_broken_row_is_named(text, problem):
    with pytest.raises(UserError, match=f"^train.jsonl: row 3: .*{problem}") as raised:
        if_multi_constraints.read_ground_truth(text, "train.jsonl: row 3")
    assert "\n" not in str(raised.value)
