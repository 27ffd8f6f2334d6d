"""Demonstrations as tensors: prompts as rollouts see them, what of a response is learned, which are those of a step."""

import copy

import pytest
import torch
from datasets import Dataset
from support import miniature, trainers
from tokenizers.processors import TemplateProcessing

from uniapl.method.demonstrations import Demonstrations, indices_of_step, tokenize
from uniapl.method.trainer import UniAPLTrainer

CHATS = [row["prompt"] for row in miniature.chats(6)]
PROMPTS = [chat[0]["content"] for chat in CHATS]
TEXTS = [row["demonstration"] for row in miniature.chats(6)]


@pytest.fixture
def trainer(tmp_path):
    """A trainer with a tokenizer of its own, which a test may change."""
    found = trainers.uniapl(tmp_path)
    found.processing_class = found._tokenizer = copy.deepcopy(miniature.tokenizer())
    return found


def ids(found) -> list[tuple[list[int], list[int]]]:
    return [(prompt.tolist(), response.tolist()) for prompt, response in found]


@pytest.mark.parametrize("prompts", [CHATS, PROMPTS], ids=["chats", "texts"])
def test_a_response_keeps_its_first_tokens_and_its_end_where_there_is_room(trainer, prompts):
    whole, cut = (ids(tokenize(trainer, prompts, TEXTS, limit)) for limit in (1000, 5))
    end = trainer._tokenizer.eos_token_id
    expected = [[*of, end] for of in trainer._tokenizer(TEXTS, add_special_tokens=False)["input_ids"]]
    assert [response for _, response in whole] == expected
    assert cut == [(prompt, response[:5]) for prompt, response in whole]


def test_the_mark_that_begins_a_text_stands_before_the_prompt_alone(trainer):
    tokenizer = trainer._tokenizer
    mark = tokenizer.pad_token, tokenizer.pad_token_id
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single=f"{mark[0]} $A", special_tokens=[mark])
    for prompt, response in ids(tokenize(trainer, PROMPTS, TEXTS, 1000)):
        assert prompt[0] == mark[1] and mark[1] not in prompt[1:] + response


def test_a_template_that_changes_one_prompt_once_it_is_answered_is_refused(trainer):
    tokenizer = trainer._tokenizer
    other = "{% if messages | length == 2 and 'WORDS' in messages[0].content %}!{% endif %}" + tokenizer.chat_template
    tokenizer.chat_template = other.replace("WORDS", PROMPTS[-1])
    with pytest.raises(ValueError, match=f"^prompt '{PROMPTS[-1][:20]}.*not prefix-preserving"):
        tokenize(trainer, CHATS, TEXTS, 1000)


def test_the_options_of_the_template_hold_for_demonstrations_too(trainer):
    plain = ids(tokenize(trainer, CHATS, TEXTS, 1000))
    trainer._tokenizer.chat_template = "{{ lead }}" + trainer._tokenizer.chat_template
    trainer.chat_template_kwargs = {"lead": "!!"}
    lead = trainer._tokenizer("!!")["input_ids"]
    assert ids(tokenize(trainer, CHATS, TEXTS, 1000)) == [(lead + prompt, response) for prompt, response in plain]


def test_an_epoch_is_a_permutation_and_another_epoch_and_another_seed_another_one():
    first, second = (
        [i for step in steps for i in indices_of_step(24, 8, step, seed=0)] for steps in ((0, 1, 2), (3, 4, 5))
    )
    other = [i for step in (0, 1, 2) for i in indices_of_step(24, 8, step, seed=1)]
    assert sorted(first) == sorted(second) == sorted(other) == list(range(24))
    assert first != second and first != other != second
    assert indices_of_step(24, 10, 2, seed=0) == first[20:] + second[:6]  # a step over the end of an epoch


# A mask per rollout: the gate of HPT (arXiv 2509.04419) learns the demonstration of a prompt that no rollout solves.


class Gated(UniAPLTrainer):
    """The whole of HPT's gate, for a reward that solves a prompt where it is above `solved`."""

    solved = 0.0

    def _calculate_rewards(self, inputs, prompts, completions, completion_ids_list):
        rewards = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
        failed = (rewards[:, 0].view(-1, self.num_generations) <= self.solved).all(1)
        self._failed = self.own_rows(failed.repeat_interleave(self.num_generations), len(inputs))
        return rewards

    def demonstration_mask(self, inputs):
        return self._failed


MIXED = {"mu_peak": 0.5, "mu_valley": 0.5, "own_prompts": True, "max_steps": 1, "max_grad_norm": 1e9}


def gated(tmp_path, solved: float, **options):
    trainer = trainers.uniapl(tmp_path, trainer=Gated, **{**MIXED, **options})
    trainer.solved = solved
    _, gradients, _ = trainers.trained(trainer)
    return gradients[0], trainer.state.log_history[0]


def test_a_gate_that_is_always_open_learns_every_own_demonstration_and_one_that_never_opens_none(tmp_path):
    opened, log = gated(tmp_path / "a", float("inf"))
    plain = trainers.uniapl(tmp_path / "b", **MIXED)
    assert torch.equal(opened, trainers.trained(plain)[1][0])
    closed, empty = gated(tmp_path / "c", -1.0)
    rollouts = trainers.uniapl(tmp_path / "d", **{**MIXED, "mu_peak": 0.0, "mu_valley": 0.0, "w_pref": 0.5})
    assert torch.equal(closed, trainers.trained(rollouts)[1][0])  # a step without any: no 0 / 0, and no bit moves
    assert (empty["loss_demonstration"], empty["demonstration_tokens"]) == (0.0, 0) and closed.abs().sum() > 0
    assert (log["demonstration_rows"], empty["demonstration_rows"]) == (2, 0)  # 8 rollouts are 2 prompts
    assert log["loss_demonstration"] > 1 and not torch.equal(opened, closed)


@pytest.mark.parametrize("size", [16, 2])
def test_a_gate_that_opens_for_some_prompts_learns_these_alone_in_any_layout(tmp_path, size):
    layout = {"per_device_train_batch_size": size, "gradient_accumulation_steps": 16 // size}
    trainer = trainers.uniapl(tmp_path, trainer=Gated, **MIXED, **layout)
    collected, own = [], trainer.demonstrations.own_columns

    def some(inputs, mask):
        learned = torch.tensor([row["row"] % 2 == 0 for row in inputs])  # two of these four prompts
        collected.append(sorted({row["row"] for row in inputs if row["row"] % 2 == 0}))
        return own(inputs, learned)

    trainer.demonstrations.own_columns = some
    trainer.train()
    (rows,) = collected
    assert 0 < len(rows) < 4
    assert trainer.state.log_history[0]["demonstration_rows"] == len(rows)  # however a group is split
    with torch.no_grad():
        total, tokens = 0.0, 0
        for row in rows:
            prompt, response = trainer.demonstrations.rows[row]
            logits = miniature.policy()(torch.cat([prompt, response])[None]).logits[0].log_softmax(-1)
            total -= logits[len(prompt) - 1 : -1].gather(1, response[:, None]).sum().item()
            tokens += len(response)
    assert trainer.state.log_history[0]["loss_demonstration"] == pytest.approx(total / tokens, rel=1e-4)


def test_a_prompt_without_a_demonstration_is_never_learned(trainer):
    rows = miniature.chats(6)
    rows[1] = {**rows[1], "demonstration": None}
    demonstrations = Demonstrations(trainer, Dataset.from_list(rows))
    inputs = [{"row": row} for row in (1, 1, 1, 1, 4, 4, 4, 4)]
    columns = demonstrations.own_columns(inputs)
    assert columns["demonstration_mask"].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert columns["demonstration_tokens"].item() == len(demonstrations.rows[4][1])
    trainer.current_gradient_accumulation_steps = 1
    assert demonstrations.own_batch(columns).rows.tolist() == [4]
