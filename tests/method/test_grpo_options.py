"""GRPO paid by the share of instructions, and GRPO on the prompts that the teacher failed: each is GRPO at zero."""

import json
import types

import pytest
import torch
from support import miniature
from support.settings import settings as method_settings
from support.trainers import trained

from baselines import grpo, grpo_fraction, grpo_unsolved
from uniapl.checkers.reward import follows_all
from uniapl.config import Compute
from uniapl.config.job import Job
from uniapl.errors import UserError
from uniapl.jsonl import write_jsonl
from uniapl.train.history import history

SETTINGS = dict(steps=3, prompts_per_step=6, group=4, max_new_tokens=12, warmup=0)
TWO = {"instruction_id_list": ["punctuation:no_comma", "change_case:english_lowercase"], "kwargs": [{}, {}]}


@pytest.fixture
def build(tmp_path):
    """A function that builds a trainer of six prompts that were solved and four that were not."""
    start, data = tmp_path / "start", tmp_path / "data"
    miniature.policy().save_pretrained(start)
    miniature.tokenizer().save_pretrained(start)
    data.mkdir()
    rows = [{**row, **TWO, "demonstration": row["response"]} for row in miniature.rows(10)]
    write_jsonl(data / "train.jsonl", rows[:6])
    write_jsonl(data / "unsolved.jsonl", [{k: v for k, v in row.items() if k != "demonstration"} for row in rows[6:]])

    def make(method, **settings):
        values = method_settings(method, **{**SETTINGS, **settings})
        run = types.SimpleNamespace(seed=0, arm="x", compute=Compute(), method=method, settings=values)
        return method.build(Job(run=run, data=data, start=start, state=tmp_path / "state"))

    make.data = data
    return make


def halves(completions, **_) -> list[float]:
    """A reward of random weights: half of the responses earn it."""
    return [float(len(chat[0]["content"]) % 2) for chat in completions]


@pytest.mark.parametrize("method, nothing", [(grpo_fraction, {"fraction": 0.0}), (grpo_unsolved, {"unsolved": 0})])
def test_without_the_option_the_training_is_stock_grpo_bit_for_bit(build, monkeypatch, method, nothing):
    monkeypatch.setattr("uniapl.checkers.reward.follows_all", halves)
    stock, ours = trained(build(grpo)), trained(build(method, **nothing))
    assert stock[0] == ours[0] and stock[1][0].norm() > 0
    assert all(torch.equal(a, b) for a, b in zip(stock[1], ours[1], strict=True))
    assert torch.equal(stock[2], ours[2])
    other = trained(build(method))
    assert not torch.equal(stock[2], other[2])


# The share ------------------------------------------------------------------------------------------


def test_the_reward_is_the_share_of_instructions_and_the_history_still_says_how_many_follow_all(build, monkeypatch):
    texts = ["no comma, Big", "no comma Big", "all of it", "One, two"]  # 0, 1, 2 and 0 of two
    trainer = build(grpo_fraction, steps=1)
    rewards, calculate = [], type(trainer)._calculate_rewards

    def scripted(self, inputs, prompts, completions, ids):
        completions = [[{"role": "assistant", "content": texts[i % 4]}] for i in range(len(completions))]
        rewards.append(calculate(self, inputs, prompts, completions, ids))
        return rewards[-1]

    monkeypatch.setattr(type(trainer), "_calculate_rewards", scripted)
    trainer.train()
    assert rewards[0].tolist() == [[0.0, 0.0], [0.0, 0.5], [1.0, 1.0], [0.0, 0.0]] * 6
    of_group = torch.tensor([0.0, 0.5, 1.0, 0.0])  # what the advantage is of
    expected = (of_group - of_group.mean()) / (of_group.std() + 1e-4)
    assert list(trainer._logs["advantages"]) == pytest.approx(expected.repeat(6).tolist(), abs=1e-5)
    (row, *_) = history(trainer.state.log_history, grpo_fraction, grpo_fraction.most_per_step(trainer_settings()))
    assert row["reward"] == 0.25 and row["zero_variance"] == 0.0


def trainer_settings():
    return method_settings(grpo_fraction, **SETTINGS)


def test_a_mixture_of_both_is_weighted(build):
    trainer = build(grpo_fraction, fraction=0.25)
    assert trainer.reward_weights.tolist() == [0.75, 0.25]
    assert [function.__name__ for function in trainer.reward_funcs] == [follows_all.__name__, "fraction"]


# Prompts that the teacher failed ----------------------------------------------------------------------


@pytest.mark.parametrize("unsolved, rows", [(0, 6), (1, 7), (4, 10), (None, 10)])
def test_as_many_prompts_join_as_are_asked_for(build, unsolved, rows):
    found = build(grpo_unsolved, unsolved=unsolved).train_dataset
    assert len(found) == rows and found["demonstration"][6:] == [None] * (rows - 6)
    joined = [row["prompt"] for row in miniature.rows(10)[:rows]]
    assert [chat[-1]["content"] for chat in found["prompt"]] == joined
    assert all(json.loads(text) == [*TWO.values()] for text in found["instructions"])


def test_a_teacher_that_failed_nothing_leaves_grpo(build):
    (build.data / "unsolved.jsonl").write_text("")
    assert len(build(grpo_unsolved).train_dataset) == 6


def test_more_prompts_than_there_are_and_a_world_without_them_are_refused(build):
    with pytest.raises(UserError, match="unsolved is 5, and .*unsolved.jsonl has 4: choose from 0 to 4"):
        build(grpo_unsolved, unsolved=5)
    (build.data / "unsolved.jsonl").unlink()
    with pytest.raises(UserError, match="unsolved.jsonl: not there, and arm x trains on it: only the data of public"):
        build(grpo_unsolved)
    assert len(build(grpo_unsolved, unsolved=0).train_dataset) == 6


def test_a_prompt_that_leaves_no_room_is_named_with_its_file_and_line(build):
    rows = [{**row, **TWO} for row in miniature.rows(10)[6:]]
    rows[2]["prompt"] = "sea " * 3000
    write_jsonl(build.data / "unsolved.jsonl", rows)
    with pytest.raises(UserError, match=r"unsolved.jsonl:3: prompt .* has \d+ tokens; the model's context"):
        build(grpo_unsolved)
