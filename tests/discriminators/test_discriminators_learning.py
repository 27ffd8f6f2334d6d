"""Discriminators that know nothing, and the one that learns beside the policy."""

import pytest
import torch
import torch.nn.functional as F
from support import miniature as world

from uniapl.discriminators import cotrained, pairs
from uniapl.discriminators.controls import Length, Random
from uniapl.discriminators.cotrained import Cotrained
from uniapl.discriminators.pairs import Row

# Controls


def test_random_scores_depend_on_seed_prompt_and_response_alone():
    one = Random(0).score(["a", "a", "b"], ["r", "s", "t"], ["x", "x", "x"])
    assert one[0] == one[1] != one[2]
    assert Random(1).score(["a"], ["r"], ["x"])[0] != one[0]
    assert Random(0).score(["a"], ["r"], ["y"])[0] != one[0]
    assert Random(0).score(["ax"], ["r"], [""])[0] != one[0]  # the two texts are not run together
    assert one[0].item() == pytest.approx(Random(0).score(["a"], [""], ["x"]).item())


def test_random_scores_are_standard_normal_and_draw_nothing():
    state = torch.get_rng_state()
    n = 4_000
    scores = Random(7).score(["p"] * n, [""] * n, [str(i) for i in range(n)])
    assert torch.equal(torch.get_rng_state(), state)
    assert abs(scores.mean()) < 4 / n**0.5 and abs(scores.std() - 1) < 4 / (2 * n) ** 0.5
    assert (scores.abs() < 1.96).float().mean().item() == pytest.approx(0.95, abs=0.02)


def test_length_scores_words_and_nothing_else():
    scores = Length().score(["p"] * 4, ["a b c"] * 4, ["x y z", "one", "a b c d e", ""])
    assert scores.tolist() == [0, -2, -2, -3]


# Co-trained


def test_the_cotrained_input_has_no_reference():
    assert cotrained.layout([1, 2], [5, 6], newline=90, end=92, limit=9) == ((1, 2, 90), (5, 6, 92))
    assert cotrained.layout([1, 2, 3], [5, 6], newline=90, end=92, limit=6) == ((2, 3, 90), (5, 6, 92))
    assert cotrained.layout([1, 2, 3], [5, 6, 7], newline=90, end=92, limit=4) == ((90,), (5, 6, 92))


def test_cotrained_reads_the_prompt_and_then_the_response(policy):
    discriminator = Cotrained(policy, 0)
    prompts, _, responses = world.texts(3)
    mark, expected = discriminator.marks, []
    for pair in zip(prompts, responses, strict=True):
        prompt, response = pairs.text_ids(discriminator.tokenizer, pair)
        expected.append(((*prompt, mark["newline"]), (*response, mark["end"])))
    assert discriminator._encode(prompts, responses) == expected


def test_cotrained_scores_do_not_read_the_reference(policy):
    discriminator = Cotrained(policy, 0)
    prompts, references, responses = world.texts()
    scores = discriminator.score(prompts, references, responses)
    assert torch.equal(scores, discriminator.score(prompts, ["x"] * 6, responses))
    assert not scores.requires_grad and scores.std() > 0


def test_its_first_step_is_that_of_a_bradley_terry_loss_worked_out_here(policy):
    prompts, references, responses = world.texts(2)
    # a group of three rollouts and one of one: the mean runs over rollouts, not over groups
    rows = ([*prompts[:1] * 3, prompts[1]], [*references[:1] * 3, references[1]], ["a b", "c", responses[0], "d"])
    discriminator, twin = Cotrained(policy, 0), Cotrained(policy, 0)
    expert = twin.score(rows[0], rows[1], rows[1])
    margin = expert - twin.score(*rows)
    logged = discriminator.learn(*rows)
    assert logged["discriminator_loss"] == pytest.approx(-margin.sigmoid().log().mean().item(), abs=1e-5)
    assert logged["discriminator_accuracy"] == (margin > 0).float().mean().item()
    # AdamW's first step moves every parameter that has a gradient by the learning rate, against the gradient
    whole = [Row((), p + r) for p, r in twin._encode(rows[0] + rows[0], rows[1] + rows[2])]
    scores = pairs.logits(twin.model, whole)
    (-F.logsigmoid(scores[:4] - scores[4:])).mean().backward()
    before, gradient, after = twin.model.score.weight, twin.model.score.weight.grad, discriminator.model.score.weight
    moved = gradient.abs() > 1e-4
    assert moved.any()
    step = torch.tensor(-1e-3) * gradient.sign()
    assert torch.allclose((after - before)[moved], step[moved], rtol=1e-2)


def test_a_tie_counts_half(policy):
    prompts, references, _ = world.texts(2)
    logged = Cotrained(policy, 0).learn(prompts, references, references)
    assert logged["discriminator_accuracy"] == 0.5
    assert logged["discriminator_loss"] == pytest.approx(0.6931472, abs=1e-6)


def test_its_gradient_is_clipped(policy):
    discriminator = Cotrained(policy, 0)
    discriminator.model.score.weight.data *= 100
    discriminator.learn(*world.texts())
    norm = torch.stack([p.grad.norm() for p in discriminator.model.parameters() if p.grad is not None]).norm()
    assert norm.item() == pytest.approx(0.2, rel=1e-4)


def test_it_learns_to_put_the_expert_first(policy):
    discriminator = Cotrained(policy, 0)
    logged = [discriminator.learn(*world.texts()) for _ in range(15)]
    assert logged[-1]["discriminator_loss"] < 0.3 < logged[0]["discriminator_loss"]
    assert logged[-1]["discriminator_accuracy"] == 1
    prompts, references, responses = world.texts()
    assert discriminator.score(prompts, [], []) if not prompts else True
    assert (discriminator.score(prompts, references, references) > discriminator.score(*world.texts())).all()


def test_it_is_deterministic_and_draws_nothing_from_the_global_generator(policy):
    state = torch.get_rng_state()
    first, second = Cotrained(policy, 0), Cotrained(policy, 0)
    assert torch.equal(first.score(*world.texts()), second.score(*world.texts()))
    assert not torch.equal(first.score(*world.texts()), Cotrained(policy, 1).score(*world.texts()))
    for _ in range(2):
        assert first.learn(*world.texts()) == second.learn(*world.texts())
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.score(*world.texts()), second.score(*world.texts()))


def test_a_saved_learner_continues_bit_for_bit(policy, tmp_path):
    whole = Cotrained(policy, 0)
    whole.learn(*world.texts())
    state = whole.state_dict()
    torch.save(state, tmp_path / "d.pt")
    whole.learn(*world.texts())
    resumed = Cotrained(policy, 5)
    resumed.load_state_dict(torch.load(tmp_path / "d.pt", weights_only=True))
    resumed.learn(*world.texts())
    assert torch.equal(world.weights(resumed.model), world.weights(whole.model))
    resumed.load_state_dict(state)  # a snapshot: what was learned since is not in it
    assert not torch.equal(world.weights(resumed.model), world.weights(whole.model))


def test_it_learns_where_gradients_are_off_and_refuses_an_empty_batch(policy):
    with torch.no_grad():
        before = Cotrained(policy, 0)
        start = before.score(*world.texts())
        before.learn(*world.texts())
        assert not torch.equal(before.score(*world.texts()), start)
    with pytest.raises(ValueError, match="no rollouts"):
        before.learn([], [], [])
