"""One reader of a row's instructions: every door gives the same answer, or the same one line about the same row."""

import json

import pytest

from uniapl import checkers, scorers
from uniapl.checkers.reward import follows_all
from uniapl.data.conversations import read_row
from uniapl.data.prompts import valid_prompts
from uniapl.errors import UserError
from uniapl.generate.tasks import process
from uniapl.scorers import verdicts as score

NO_COMMA, WORDS = "punctuation:no_comma", "length_constraints:number_words"
ONE_WORD = {"num_words": 1, "relation": "at least"}
RESPONSES = ("the sea", "a, b")

# Each form of the same row, with instructions of one type without arguments: it follows where there is no comma.
SAME = [
    {"instruction_id_list": [NO_COMMA], "kwargs": [{}]},
    {"instruction_id_list": [NO_COMMA], "kwargs": [None]},
    {"instruction_id_list": [NO_COMMA], "kwargs": [{"num_words": None}]},
    {"instruction_id_list": [NO_COMMA], "kwargs": None},
    {"instruction_id_list": [NO_COMMA]},
    {"instruction_id_list": (NO_COMMA,), "kwargs": ({},)},
    {"instruction_id_list": json.dumps([NO_COMMA]), "kwargs": "[{}]"},
    {"instruction_id_list": [NO_COMMA], "kwargs": ["{}"]},
    {"instruction_id_list": [NO_COMMA], "kwargs": "null"},
    {"instructions": json.dumps([[NO_COMMA], [{}]])},
    {"instructions": json.dumps([[NO_COMMA], [None]])},
]
# Each form that no door may take, and what all of them say of it.
REFUSED = [
    ({"instruction_id_list": [], "kwargs": []}, "needs at least one instruction in instruction_id_list"),
    ({"instruction_id_list": [NO_COMMA], "kwargs": []}, "1 in instruction_id_list but 0 in kwargs"),
    ({"instruction_id_list": [NO_COMMA], "kwargs": [[None]]}, "needs in kwargs an object of arguments for each"),
    ({"instruction_id_list": [NO_COMMA], "kwargs": {}}, "kwargs is no list with an object for each instruction"),
    ({"instruction_id_list": [NO_COMMA], "kwargs": "[{]"}, "kwargs is text that is no JSON: '[{]'"),
    ({"instruction_id_list": [3], "kwargs": [{}]}, "instruction_id_list is missing or no list of ids"),
    ({"instruction_id_list": NO_COMMA, "kwargs": [{}]}, "instruction_id_list is text that is no JSON"),
    ({"instruction_id_list": [WORDS], "kwargs": [None]}, f"{WORDS}: missing argument num_words, relation"),
    ({"instruction_id_list": [WORDS]}, f"{WORDS}: missing argument num_words, relation"),
    ({"instructions": "[]"}, "instructions must be the JSON of [instruction_id_list, kwargs]"),
    ({"instructions": json.dumps([[], []])}, "needs at least one instruction in instruction_id_list"),
    ({"instructions": "{"}, "instructions is text that is no JSON: '{'"),
]


def columns(row):
    """The row as a batch of a trainer: two rollouts."""
    return {"key": [7, 7], **{name: [value] * 2 for name, value in row.items()}}


def by_score(row):
    return [
        score.score(valid_prompts([{"key": 7, "prompt": "Say."} | row], "p.jsonl"), [{"key": 7, "response": text}])
        .strict.astype(float)
        .mean()
        for text in RESPONSES
    ]


def by_raw_score(row):
    """Without the check of the file."""
    rows = [{"key": 7, "prompt": "Say."} | row]
    return [score.score(rows, [{"key": 7, "response": text}]).strict.mean() for text in RESPONSES]


def by_reward(row):
    return scorers.reward(completions=list(RESPONSES), **columns(row))


def by_fraction(row):
    return scorers.fraction(completions=list(RESPONSES), **columns(row))


def by_build_row(row):
    return [float(checkers.all_strict(checkers.build_row(row, where="key 7"), text)) for text in RESPONSES]


def by_multi_if(row):
    """The row as a turn; Multi-IF has no field `instructions`."""
    ids, kwargs = json.loads(row["instructions"]) if "instructions" in row else (None, None)
    turn = {"instruction_id_list": ids, "kwargs": kwargs} if "instructions" in row else row
    turns = {f"turn_1_{name}": value for name, value in turn.items()}
    one = read_row({"key": "7", "language": "English", "turn_1_prompt": '{"content": "Say."}', **turns}, "key 7")
    return [float(checkers.all_strict(one.turns[0].checkers(), text)) for text in RESPONSES]


DOORS = [by_score, by_raw_score, by_reward, by_fraction, by_build_row]


@pytest.mark.parametrize("row", SAME)
@pytest.mark.parametrize("door", [*DOORS, by_multi_if])
def test_every_door_reads_every_form_of_a_row_as_the_same(door, row):
    assert door(row) == [1.0, 0.0]


@pytest.mark.parametrize(("row", "problem"), REFUSED)
@pytest.mark.parametrize("door", DOORS)
def test_every_door_refuses_the_same_rows_in_one_line_that_names_them(door, row, problem):
    with pytest.raises(UserError) as refused:
        door(row)
    assert "key 7" in str(refused.value) and problem in str(refused.value) and "\n" not in str(refused.value)


def test_without_a_column_of_keys_a_reward_names_the_row_by_its_place():
    rows = {"instruction_id_list": [[NO_COMMA], []], "kwargs": [[{}], []]}
    for door in (scorers.reward, scorers.fraction):
        with pytest.raises(UserError, match="^row 2 of the batch: needs at least one instruction"):
            door(completions=["a", "b"], **rows)
    with pytest.raises(UserError, match="^row 2 of the batch: needs at least one instruction"):
        follows_all([[{"content": "a"}]] * 2, [json.dumps([[NO_COMMA], [{}]]), "[[], []]"])


def test_both_forms_at_once_are_refused():
    with pytest.raises(UserError, match="^key 7: has instruction_id_list and instructions: keep one of them"):
        checkers.read_instructions({"instruction_id_list": [NO_COMMA], "instructions": "[[], []]"}, "key 7")


def test_lm_evals_documents_are_read_by_the_same_reader():
    document = {"key": 7, "instructions": json.dumps([[NO_COMMA], [None]])}
    assert process.process_results(document, ["a, b"])["prompt_strict"] == 0
    assert process.multi_if_results(document, ["ab"])["prompt_strict"] == 1
    with pytest.raises(UserError, match="^key 7: needs at least one instruction"):
        process.process_results(document | {"instructions": "[[], []]"}, ["ab"])
    with pytest.raises(UserError, match="^key 7: needs at least one instruction"):
        process.multi_if_results(document | {"instructions": "[[], []]"}, ["ab"])


def test_a_training_stops_at_such_a_row_before_its_first_step(tmp_path):
    """`rollout_rows` names file and line."""
    from types import SimpleNamespace

    from baselines.common import rollout_rows

    good = {"key": 1, "prompt": "Say.", "demonstration": "the sea", "instruction_id_list": [NO_COMMA], "kwargs": [None]}
    settings = SimpleNamespace(max_new_tokens=1, teacher="expert", demonstrations=None)
    job = SimpleNamespace(data=tmp_path, run=SimpleNamespace(settings=settings))
    tokenizer = SimpleNamespace(model_max_length=99, apply_chat_template=lambda chats, **_: [[0]] * len(chats))
    (tmp_path / "train.jsonl").write_text(json.dumps(good) + "\n")
    (row,) = rollout_rows(job, tokenizer)
    assert json.loads(row["instructions"]) == [[NO_COMMA], [{}]]
    bad = good | {"key": 2, "kwargs": [[None]]}
    (tmp_path / "train.jsonl").write_text(json.dumps(good) + "\n\n" + json.dumps(bad) + "\n")
    with pytest.raises(UserError, match=r"train\.jsonl:3: key 2: needs in kwargs an object of arguments"):
        rollout_rows(job, tokenizer)
