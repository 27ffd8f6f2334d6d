"""The probe measures without changing what it measures."""

import dataclasses
import math

import pytest
import torch
from support import miniature, trainers
from torch.nn.utils.rnn import pad_sequence

from uniapl.train.probe import Probe, ProbeCallback


class Lengths:
    """Stands for a discriminator: the score of a response is its number of characters."""

    def score(self, prompts, references, responses):
        return torch.tensor([float(len(text)) for text in responses])


def probe(n=8):
    rows = list(miniature.rows()[:n])
    return Probe(rows, [r["response"] for r in rows], miniature.policy(), miniature.tokenizer(), Lengths(), 12)


def test_against_itself_kl_is_zero_and_entropy_that_of_random_weights():
    measured = probe().measure(miniature.policy(), seed=1)
    assert measured["probe_kl"] == pytest.approx(0, abs=1e-6)
    uniform = torch.log(torch.tensor(float(len(miniature.tokenizer())))).item()
    assert measured["probe_entropy"] == pytest.approx(uniform, rel=0.05)
    assert 0 <= measured["probe_auc"] <= 1 and 1 <= measured["probe_length"] <= 12


def test_the_expert_is_the_reference_and_is_scored_as_a_response_too():
    experts = [row["response"] for row in miniature.rows()[:8]]
    # a reference of the expert's is worth 2, a response like its reference 1: the policy's have 2, the expert's 3
    scorer = miniature.Scorer(lambda reference, response: 2.0 * (reference in experts) + (response == reference))
    found = dataclasses.replace(probe(), discriminator=scorer).measure(miniature.policy(), seed=1)
    assert (found["probe_score"], found["probe_auc"]) == (2.0, 1.0)


def test_a_certain_policy_is_log_v_minus_1_from_a_uniform_base():
    policy, base = miniature.policy(), miniature.policy()
    policy.model.norm.weight.data.fill_(1e4)  # one token has probability 1
    base.model.norm.weight.data.zero_()  # each of V tokens has 1 / V
    measured = dataclasses.replace(probe(), base=base).measure(policy, seed=1)
    # d = log(1 / V) - log 1, so exp(d) - d - 1 = 1 / V + log V - 1
    size = base.config.vocab_size
    assert measured["probe_kl"] == pytest.approx(1 / size + math.log(size) - 1, rel=1e-4)
    assert measured["probe_entropy"] == pytest.approx(0, abs=1e-4)


def test_a_response_goes_up_to_its_end_and_is_held_against_its_own_instructions():
    measured, model = probe(), miniature.policy()
    end, ids = measured.tokenizer.eos_token_id, measured.tokenizer(measured.references)["input_ids"]

    def expert(input_ids, attention_mask, **_):
        """The expert's responses, each with its end and a word after it."""
        assert attention_mask[:, -1].all() and not attention_mask.all()  # padding is on the left
        return torch.cat([input_ids, pad_sequence([torch.tensor([*one, end, 9]) for one in ids], batch_first=True)], 1)

    model.generate = expert
    found = measured.measure(model, seed=1)
    assert (found["probe_reward"], found["probe_auc"]) == (1.0, 0.5)
    assert found["probe_length"] == sum(len(one) + 1 for one in ids) / len(ids)


def test_a_response_ends_with_any_end_token_that_the_checkpoint_states():
    measured, model = probe(2), miniature.policy()
    model.generation_config.eos_token_id = [measured.tokenizer.eos_token_id, 7]
    responses = torch.tensor([[9, 7, 0, 0], [9, 9, 9, measured.tokenizer.eos_token_id]])
    model.generate = lambda input_ids, **_: torch.cat([input_ids, responses], 1)
    assert measured.measure(model, seed=1)["probe_length"] == (2 + 4) / 2


def test_without_a_discriminator_nothing_is_scored_and_the_rest_is_measured_alike():
    policy, scored = miniature.policy(seed=1), probe()
    bare = dataclasses.replace(scored, discriminator=None, references=[])
    with_it, without = scored.measure(policy, seed=1), bare.measure(policy, seed=1)
    assert with_it.keys() - without.keys() == {"probe_score", "probe_auc"}
    assert without.items() <= with_it.items()


def test_another_policy_has_positive_kl():
    assert probe().measure(miniature.policy(seed=1), seed=1)["probe_kl"] > 1e-4


def test_measuring_is_repeatable_and_leaves_generator_and_mode_alone():
    model, measured = miniature.policy().train(), probe()
    torch.manual_seed(3)
    state = torch.get_rng_state()
    first = measured.measure(model, seed=1)
    assert torch.equal(state, torch.get_rng_state()) and model.training
    assert measured.measure(model, seed=1) == first
    assert measured.measure(model, seed=2) != first


def test_a_probed_training_is_bit_for_bit_the_unprobed_one(tmp_path):
    def weights(probed):
        callback = ProbeCallback(probe(), every=1, seed=0)  # before the trainer: fresh weights set the global seed
        trainer = trainers.grpo(tmp_path)
        if probed:
            trainer.add_callback(callback)
        trainer.train()
        rows = [row["step"] for row in trainer.state.log_history if "probe_kl" in row]
        assert rows == ([0, 1, 2, 3] if probed else [])
        return miniature.weights(trainer.model)

    assert torch.equal(weights(True), weights(False))
