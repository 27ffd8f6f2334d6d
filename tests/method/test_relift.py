"""ReLIFT: which prompts enter the buffer, what its second optimizer does, and that a buffer never full is GRPO."""

import pytest
import torch
from support import miniature, trainers
from support.trainers import rarely, trained
from trl import GRPOTrainer

ONE_STEP = {"max_steps": 1, "max_grad_norm": 1e9}
RL = {"loss_type": "dr_grpo", "scale_rewards": "none"}


def test_a_buffer_that_is_never_full_is_stock_grpo_bit_for_bit(tmp_path):
    trainer = trainers.relift(tmp_path, size=1000)
    ours = trained(trainer)
    stock = trained(trainers.grpo(tmp_path, trainer=GRPOTrainer, rewards=(rarely,), **RL))
    assert trainer.buffer, "some prompt must have been unsolved"
    assert ours[0] == stock[0] and torch.equal(ours[2], stock[2])
    assert all(torch.equal(*pair) for pair in zip(ours[1], stock[1], strict=True))
    assert trainer.state.log_history[-2]["buffer"] == len(trainer.buffer)
    assert trainer.state.log_history[0]["demonstration_rows"] == 0


def test_the_buffer_has_the_prompts_whose_rollouts_all_earn_nothing_and_that_have_a_demonstration(tmp_path):
    rows = [
        {**row, "demonstration": None if i % 2 else row["demonstration"]} for i, row in enumerate(miniature.chats())
    ]
    trainer, seen = trainers.relift(tmp_path, reward=trainers.never, size=1000, rows=rows), []
    generate = trainer._generate_and_score_completions

    def watched(inputs):
        seen.extend(row["row"] for row in inputs[::4])
        return generate(inputs)

    trainer._generate_and_score_completions = watched
    trainer.train()
    assert len(seen) == 6 and trainer.buffer == [row for row in seen if row % 2 == 0] and trainer.buffer


def test_a_full_buffer_is_learned_in_the_order_in_which_it_filled(tmp_path):
    trainer = trainers.relift(
        tmp_path, trainer=trainers.WatchedReLIFT, reward=trainers.never, size=3, **{**ONE_STEP, "max_steps": 2}
    )
    trainer.train()  # two prompts in each step
    assert len(trainer.rows) == 3 and len(trainer.buffer) == 1
    first, second = trainer.state.log_history[:2]
    assert (first["demonstration_rows"], first["buffer"]) == (0, 2) and "loss_demonstration" not in first
    assert (second["demonstration_rows"], second["buffer"]) == (3, 1) and second["loss_demonstration"] > 0


def test_the_second_step_is_that_of_stock_sft_on_the_same_rows(tmp_path):
    options = {**ONE_STEP, "max_completion_length": 64, "learning_rate": 0.0}  # GRPO's own step changes nothing
    trainer = trainers.relift(
        tmp_path, trainer=trainers.WatchedReLIFT, reward=trainers.never, size=2, entropy_weight=0.0, **options
    )
    trainer.train()
    rows = [miniature.chats()[row] for row in trainer.rows]
    stock = trained(trainers.sft(tmp_path, rows=rows, **ONE_STEP, per_device_train_batch_size=2, weight_decay=0.0))
    torch.testing.assert_close(trainer.gradient, stock[1][0], rtol=1e-3, atol=1e-6)
    assert trainer.state.log_history[0]["loss_demonstration"] == pytest.approx(stock[0][0], rel=1e-5)
    moved = (miniature.weights(trainer.model) - trainer.before).abs()
    assert torch.isclose(moved[trainer.gradient.abs() > 1e-4], torch.tensor(1e-3), rtol=1e-2).all()  # Adam's first


def test_the_entropy_of_the_demonstrations_is_raised_by_its_weight(tmp_path):
    found = {}
    for weight in (0.0, 0.5, 1.0):
        options = {**ONE_STEP, "learning_rate": 0.0, "size": 2, "entropy_weight": weight, "reward": trainers.never}
        trainer = trainers.relift(tmp_path, trainer=trainers.WatchedReLIFT, **options)
        trainer.train()
        found[weight] = trainer.gradient
    assert (found[1.0] - found[0.0]).norm() > 1e-3
    torch.testing.assert_close(found[0.5], (found[0.0] + found[1.0]) / 2, rtol=1e-3, atol=1e-6)


def test_the_second_steps_gradient_does_not_depend_on_micro_batches(tmp_path):
    found = []
    for layout in ({"per_device_train_batch_size": 16}, {"gradient_accumulation_steps": 8}):
        options = {"per_device_train_batch_size": 2, **layout, **ONE_STEP, "learning_rate": 0.0}
        trainer = trainers.relift(tmp_path, trainer=trainers.WatchedReLIFT, reward=trainers.never, size=4, **options)
        trainer.train()
        found.append((trainer.rows, trainer.gradient))
    assert found[0][0] == found[1][0] and len(found[0][0]) == 4
    assert (found[0][1] - found[1][1]).norm() / found[0][1].norm() < 1e-5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 0}, "buffer of 1 or more, got 0"),
        ({"entropy_weight": -1.0}, "entropy_weight of 0 or more"),
        ({"num_generations": 1}, "at least 2"),
    ],
)
def test_what_relift_cannot_honour_is_refused_before_training(tmp_path, settings, message):
    with pytest.raises(ValueError, match=message):
        trainers.relift(tmp_path, **settings)


def test_a_data_set_without_any_demonstration_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no row of the data set has a demonstration"):
        trainers.relift(tmp_path, rows=[{**row, "demonstration": None} for row in miniature.chats()])
