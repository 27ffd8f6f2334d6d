"""The scorers from elsewhere: as TRL reward functions, with either form of columns, and from Python."""

import json

import pandas as pd
import pytest
from datasets import Dataset
from support import miniature, trainers
from support.two_prompts import EXPECTED, PROMPTS, RESPONSES, write

from uniapl.checkers.reward import follows_all
from uniapl.errors import UserError
from uniapl.scorers import fraction, reward, score

IDS = ["punctuation:no_comma", "keywords:existence"]
KWARGS = [{}, {"keywords": ["sea"]}]
TEXTS = ["the sea", "the sea, calm", "a lake", "a lake, calm", " "]
WHOLE, SHARE = [1.0, 0.0, 0.0, 0.0, 0.0], [1.0, 0.5, 0.5, 0.0, 0.0]


def says(text):
    return [{"role": "assistant", "content": text}]


def columns(n: int) -> dict:
    return {"instruction_id_list": [IDS] * n, "kwargs": [KWARGS] * n}


@pytest.mark.parametrize(
    "asked", [columns(5), {"instructions": [json.dumps([IDS, KWARGS])] * 5}], ids=["lists", "json"]
)
@pytest.mark.parametrize("completions", [[says(text) for text in TEXTS], TEXTS], ids=["chats", "texts"])
def test_all_or_nothing_and_the_fraction(asked, completions):
    assert reward(completions=completions, **asked) == WHOLE
    assert fraction(completions=completions, **asked) == SHARE


def test_the_reward_is_that_of_our_own_training():
    rows = miniature.rows()
    said = [says(row["response"] if i % 2 else row["prompt"]) for i, row in enumerate(rows)]
    asked = [json.dumps([row["instruction_id_list"], row["kwargs"]]) for row in rows]
    ours = follows_all(completions=said, instructions=asked)
    lists = {name: [row[name] for row in rows] for name in ("instruction_id_list", "kwargs")}
    assert reward(completions=said, **lists) == reward(completions=said, instructions=asked) == ours
    assert {0.0, 1.0} == set(ours)


def test_the_last_message_is_the_answer():
    chat = [{"role": "assistant", "content": "a call"}, {"role": "tool", "content": "x"}, *says("the sea")]
    assert reward(completions=[chat], **columns(1)) == [1.0]


@pytest.mark.parametrize("kwargs", [KWARGS, [{}, {}]])
def test_a_data_set_pads_arguments_with_none(kwargs):
    ids = IDS if kwargs == KWARGS else ["punctuation:no_comma", "startend:quotation"]
    row = Dataset.from_list([{"instruction_id_list": ids, "kwargs": kwargs}])[0]
    asked = {name: [row[name]] for name in ("instruction_id_list", "kwargs")}
    assert reward(completions=["the sea"], **asked) == [float(kwargs == KWARGS)]
    assert fraction(completions=["the sea"], **asked) == [1.0 if kwargs == KWARGS else 0.5]


@pytest.mark.parametrize(
    "asked, line",
    [
        ({}, "needs the columns instruction_id_list and kwargs, or the column instructions in their place"),
        ({"kwargs": [KWARGS]}, "needs the columns instruction_id_list and kwargs"),
        ({**columns(1), "instructions": ["[]"]}, "has instructions and instruction_id_list and kwargs, .* remove one"),
    ],
)
def test_missing_and_superfluous_columns_are_one_line(asked, line):
    for function in (reward, fraction):
        with pytest.raises(UserError, match=line):
            function(completions=["the sea"], prompts=["p"], **asked)


def test_a_wrong_instruction_is_named():
    with pytest.raises(UserError, match="no_commas: unknown instruction, did you mean 'punctuation:no_comma'"):
        reward(completions=["a"], instruction_id_list=[["punctuation:no_commas"]], kwargs=[[{}]])


def test_trl_trains_with_both_and_logs_their_names(tmp_path):
    rows = [
        {
            "prompt": [{"role": "user", "content": row["prompt"]}],
            **{k: row[k] for k in ("instruction_id_list", "kwargs")},
        }
        for row in miniature.rows(4)
    ]
    options = {"max_steps": 1, "per_device_train_batch_size": 4, "num_generations": 2, "max_completion_length": 8}
    trainer = trainers.grpo(tmp_path, rewards=[reward, fraction], rows=rows, **options)
    trainer.train()
    logged = trainer.state.log_history[0]
    assert 0 <= logged["rewards/reward/mean"] <= logged["rewards/fraction/mean"] <= 1


# from Python --------------------------------------------------------------------------------------


def test_files_rows_and_texts_score_alike(tmp_path):
    files = write(tmp_path / "p.jsonl", PROMPTS), write(tmp_path / "r.jsonl", RESPONSES)
    frame = score(*files)
    assert [tuple(row) for row in frame.itertuples(index=False)] == EXPECTED
    pd.testing.assert_frame_equal(score(PROMPTS, RESPONSES), frame)
    pd.testing.assert_frame_equal(score(PROMPTS, ["It is rain.", 'Here it is:\n"To be"']), frame)


def test_rows_are_checked_like_files():
    with pytest.raises(UserError, match="prompts: row 2, key 3: startend:quotation: unexpected argument language"):
        score([PROMPTS[0], {**PROMPTS[1], "kwargs": [{"language": "de"}]}], RESPONSES)
    with pytest.raises(UserError, match="1 responses to 2 prompts: give one for each, in their order"):
        score(PROMPTS, ["It is rain."])
    with pytest.raises(UserError, match="1 of 2 prompts have no response"):
        score(PROMPTS, RESPONSES[:1])
    with pytest.raises(UserError, match="multi_if: has conversations, no prompts: score .* uniapl.scorers.multi_if"):
        score(PROMPTS, RESPONSES, family="multi_if")  # not by IFEval's rules


def test_the_three_lines_of_the_documentation(tmp_path):
    """As in the module's docstring; prompt_strict of EXPECTED is 0 of 2."""
    frame = score(write(tmp_path / "p.jsonl", PROMPTS), write(tmp_path / "r.jsonl", RESPONSES))
    assert frame.groupby("key").strict.min().mean() == 0.0
    assert frame.groupby("key").loose.min().mean() == 0.5
