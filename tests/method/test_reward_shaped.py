"""GRPO with a shaped reward: which advantage it trains on, and when it is stock GRPO."""

import types

import pytest
import torch
from support import miniature
from support.trainers import trained

from baselines import grpo, grpo_reward_shaped

GROUP = 4
SETTINGS = dict(steps=3, prompts_per_step=6, group=GROUP, max_new_tokens=12, warmup=0)


class Nearness:
    """A stand-in discriminator: nearness to the reference's length, and the prompt's, so that all three count."""

    def score(self, prompts: list[str], references: list[str], responses: list[str]) -> torch.Tensor:
        triples = zip(prompts, references, responses, strict=True)
        return torch.tensor([len(p) / 50 - abs(len(r) - len(x)) / 10 for p, r, x in triples])


@pytest.fixture
def build(six_prompts, tmp_path, monkeypatch):
    """A function that builds a trainer of 6 prompts with the stand-in, found in the folder of the discriminator."""
    monkeypatch.setattr(grpo_reward_shaped, "load_discriminator", lambda job: {tmp_path: Nearness()}[job.discriminator])

    def make(method, **changes):
        return six_prompts(method, {**SETTINGS, **changes}, discriminator=tmp_path)

    return make


def advantages(prompts: list[str], responses: list[str], demonstrations: dict[str, str | None], lam: float) -> list:
    """(x - mean) / (standard deviation + 1e-4) in each group, x = reward + lam x score; score 0 without a reference."""
    rewards = miniature.words([[{"content": text}] for text in responses])
    scores = [
        0.0 if demonstrations[p] is None else Nearness().score([p], [demonstrations[p]], [text]).item()
        for p, text in zip(prompts, responses, strict=True)
    ]
    x = (torch.tensor(rewards) + lam * torch.tensor(scores)).view(-1, GROUP)
    return ((x - x.mean(1, keepdim=True)) / (x.std(1, keepdim=True) + 1e-4)).flatten().tolist()


@pytest.mark.parametrize("lam", [0.0, 0.7])
@pytest.mark.parametrize("demonstrations", [None, 3])
def test_the_advantage_is_that_of_the_reward_plus_lam_times_the_score(build, lam, demonstrations):
    trainer = build(grpo_reward_shaped, lam=lam, demonstrations=demonstrations, steps=1)
    trainer.train()
    known = {row["prompt"][0]["content"]: row["demonstration"] for row in trainer.train_dataset}
    assert sum(text is None for text in known.values()) == (3 if demonstrations else 0)
    prompts, responses = ([chat[0]["content"] for chat in trainer._logs[name]] for name in ("prompt", "completion"))
    expected = advantages(prompts, responses, known, lam)
    assert list(trainer._logs["advantages"]) == pytest.approx(expected, abs=1e-4)
    assert len(expected) == 6 * GROUP and max(expected) > 0.5


def test_at_lam_zero_the_training_is_stock_grpo_bit_for_bit(build):
    stock, ours = trained(build(grpo)), trained(build(grpo_reward_shaped, lam=0.0))
    assert stock[0] == ours[0]
    assert all(torch.equal(a, b) for a, b in zip(stock[1], ours[1], strict=True))
    assert torch.equal(stock[2], ours[2])
    other = trained(build(grpo_reward_shaped, lam=0.7))
    assert not torch.equal(stock[2], other[2])  # the score does train where it has a weight


def test_the_score_is_logged_beside_the_reward(build):
    trainer = build(grpo_reward_shaped, lam=0.7, steps=1)
    trainer.train()
    row = trainer.state.log_history[0]
    total = row["rewards/words/mean"] + 0.7 * row["rewards/discriminate/mean"]
    assert row["reward"] == pytest.approx(total, abs=1e-5) and row["rewards/discriminate/mean"] < 0


def test_the_discriminator_is_asked_about_rollouts_with_a_demonstration_alone():
    asked = []
    spy = types.SimpleNamespace(score=lambda *texts: asked.append(texts) or torch.tensor([1.5, 2.5]))
    discriminate = grpo_reward_shaped.reward_function(spy)
    assert discriminate.__name__ == "discriminate"  # the name under which TRL logs it
    prompts = [[{"role": "user", "content": text}] for text in "abc"]
    completions = [[{"role": "assistant", "content": text}] for text in "uvw"]
    assert discriminate(prompts, completions, ["x", None, "z"], trainer_state=None) == [1.5, 0.0, 2.5]
    assert asked == [(["a", "c"], ["x", "z"], ["u", "w"])]
    assert discriminate(prompts, completions, [None] * 3) == [0.0] * 3 and len(asked) == 1


def test_a_score_that_is_not_finite_stops_the_training():
    # TRL would leave it out of the sum without a word
    spy = types.SimpleNamespace(score=lambda *_: torch.tensor([float("nan")]))
    with pytest.raises(ValueError, match="not finite"):
        grpo_reward_shaped.reward_function(spy)([[{"content": "a"}]], [[{"content": "b"}]], ["c"])
