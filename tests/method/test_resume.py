"""Every method, stopped anywhere and resumed, ends with the weights of a training that was not stopped, bit for bit."""

import pytest
import torch
from support import miniature, trainers
from trl import GRPOTrainer, SFTTrainer

from uniapl.method.grpo import GRPO

# 6 prompts, 2 in each batch of rollouts: an epoch is 3 steps; of 6 rows, 2 in a step of SFT, likewise.
SEED = 1  # of which no two batches in the same place of the first two epochs are alike
SHORT = {"rows": miniature.chats(6), "seed": SEED, "max_steps": 5}
TWICE = SHORT | {"num_iterations": 2, "max_steps": 8}  # each batch of rollouts serves two steps
CASES = [
    # in the first epoch, at its end, in the second, and after the last step, where nothing is left to train
    *((method, SHORT, (1, 3, 4, 5)) for method in trainers.METHODS),
    *(
        (method, TWICE, (5, 6, 7)) for method in trainers.METHODS if method not in trainers.OF_SFT
    ),  # between the two steps, too
    ("uniapl", SHORT | {"own_prompts": True}, (4,)),
    ("uniapl", SHORT | {"gradient_accumulation_steps": 2, "per_device_train_batch_size": 4}, (4,)),
]


def options_of(method: str, options: dict) -> dict:
    size = {"per_device_train_batch_size": 2} if method in trainers.OF_SFT else {}
    return {**size, "save_strategy": "steps", "save_steps": 1, **options}


def resumed(build, folder, checkpoint: int, **options) -> torch.Tensor:
    trainer = build(folder, **options)
    trainer.train(resume_from_checkpoint=str(folder / f"checkpoint-{checkpoint}"))
    return miniature.weights(trainer.model)


@pytest.mark.parametrize(
    ("method", "options", "stops"), CASES, ids=[f"{method}-{len(o)}-{o['max_steps']}" for method, o, _ in CASES]
)
def test_a_resumed_training_ends_with_the_weights_of_an_undisturbed_one(tmp_path, method, options, stops):
    build, options = trainers.METHODS[method], options_of(method, options)
    undisturbed = build(tmp_path, **options)
    undisturbed.train()
    expected = miniature.weights(undisturbed.model)
    seen = undisturbed._total_train_tokens
    for stop in stops:
        again = build(tmp_path, **options)
        again.train(resume_from_checkpoint=str(tmp_path / f"checkpoint-{stop}"))
        assert torch.equal(expected, miniature.weights(again.model)), f"from step {stop}"
        assert again._total_train_tokens == seen


@pytest.mark.parametrize(("method", "stock"), [("grpo", GRPOTrainer), ("sft", SFTTrainer)])
def test_stock_trainers_go_on_with_other_rows_in_the_second_epoch(tmp_path, method, stock):
    """What `Resumable` is for. Where this fails, TRL or transformers has repaired it, and the mixin can go."""
    build, options = trainers.METHODS[method], options_of(method, SHORT) | {"trainer": stock}
    undisturbed = build(tmp_path, **options)
    undisturbed.train()
    expected = miniature.weights(undisturbed.model)
    assert torch.equal(expected, resumed(build, tmp_path, 1, **options))
    assert not torch.equal(expected, resumed(build, tmp_path, 4, **options))


@pytest.mark.parametrize(("method", "stock"), [("grpo", GRPOTrainer), ("sft", SFTTrainer)])
def test_an_undisturbed_training_of_two_epochs_is_that_of_the_stock_trainer(tmp_path, method, stock):
    build, options = trainers.METHODS[method], options_of(method, SHORT) | {"save_strategy": "no"}
    ours, theirs = (trainers.trained(build(tmp_path, **options, **more)) for more in ({}, {"trainer": stock}))
    assert ours[0] == theirs[0] and torch.equal(ours[2], theirs[2])


def test_a_resumed_uniapl_knows_lambda_the_distance_and_what_its_discriminator_learned(tmp_path):
    def build():
        scorer = trainers.Learning()
        weights = {"mu_peak": 0.5, "lam": 0.3, "lam_step": 0.2, "eps": 0.1}
        return trainers.uniapl(tmp_path, scorer, **options_of("uniapl", SHORT), **weights), scorer

    through, undisturbed = build()
    through.train()
    again, scorer = build()
    again.train(resume_from_checkpoint=str(tmp_path / "checkpoint-4"))
    assert (again.adversary.lam, again.adversary.distance_mean) == (
        through.adversary.lam,
        through.adversary.distance_mean,
    )
    assert scorer.factor == undisturbed.factor == 6.0 and undisturbed.lessons == [8] * 5 and scorer.lessons == [8]
    assert torch.equal(miniature.weights(through.model), miniature.weights(again.model))


def test_a_checkpoint_of_another_trainer_is_not_continued(tmp_path):
    """transformers' own checkpoint lacks the file: nothing is guessed."""
    options = options_of("grpo", SHORT | {"max_steps": 1})
    trainers.grpo(tmp_path, **options).train()
    with pytest.raises(FileNotFoundError, match="resume_0.pt"):
        resumed(trainers.grpo, tmp_path, 1, **options, trainer=GRPO)
