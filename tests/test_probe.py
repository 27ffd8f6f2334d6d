"""The probe measures without changing what it measures."""

import miniature
import pytest
import torch
import trainers

from uniapl.probe import Probe, ProbeCallback


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
