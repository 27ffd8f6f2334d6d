"""UniAPLTrainer: exact reductions to stock TRL, the sum of its parts, layouts, refusals, resuming."""

import miniature
import pytest
import torch
from datasets import Dataset
from transformers import TrainerCallback
from trl import GRPOConfig, GRPOTrainer, SFTConfig, SFTTrainer

from uniapl.trainer import REQUIRED, UniAPLConfig, UniAPLTrainer

COMMON = {
    "per_device_train_batch_size": 8,
    "num_generations": 4,
    "max_completion_length": 12,
    "max_steps": 3,
    "learning_rate": 1e-3,
    "beta": 0.0,
    "logging_steps": 1,
    "report_to": "none",
    "disable_tqdm": True,
    "save_strategy": "no",
    "use_cpu": True,
    "bf16": False,
    "gradient_checkpointing": False,
    "disable_dropout": True,
    "dataloader_pin_memory": False,
}


class Gradients(TrainerCallback):
    """Keeps the gradient of every step, as one vector, before the optimizer sees it."""

    def __init__(self):
        self.steps = []

    def on_pre_optimizer_step(self, args, state, control, model=None, **kwargs):
        self.steps.append(torch.cat([p.grad.flatten().clone() for p in model.parameters()]))


def trained(trainer):
    """Train; return losses, gradients and final weights."""
    gradients = Gradients()
    trainer.add_callback(gradients)
    trainer.train()
    losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    return losses, gradients.steps, miniature.weights(trainer.model)


def grpo(tmp_path, **options):
    return GRPOTrainer(
        model=miniature.policy(),
        reward_funcs=[miniature.words],
        args=GRPOConfig(output_dir=str(tmp_path), **{**COMMON, **options}),
        train_dataset=Dataset.from_list(miniature.chats()),
        processing_class=miniature.tokenizer(),
    )


def uniapl(tmp_path, discriminator=None, *, rows=None, demonstrations=None, **options):
    options = {"demonstrations_per_step": 8, **COMMON, **options}
    return UniAPLTrainer(
        model=miniature.policy(),
        reward_funcs=[miniature.words],
        discriminator=discriminator or miniature.Scorer(miniature.nearness),
        args=UniAPLConfig(output_dir=str(tmp_path), **options),
        train_dataset=Dataset.from_list(rows or miniature.chats()),
        demonstrations=demonstrations,
        processing_class=miniature.tokenizer(),
    )


CONSTANT = miniature.Scorer(lambda reference, response: 2.5)
REWARD = miniature.Scorer(lambda reference, response: miniature.words([[{"content": response}]])[0])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"loss_type": "grpo"},
        {"loss_type": "dr_grpo", "scale_rewards": "none"},
        {"num_iterations": 2},
        {"per_device_train_batch_size": 4, "gradient_accumulation_steps": 2},
        {"importance_sampling_level": "sequence"},
        {"remove_unused_columns": True},
    ],
    ids=str,
)
def test_with_zero_weights_losses_gradients_and_weights_are_stock_grpo_bit_for_bit(tmp_path, options):
    stock, ours = trained(grpo(tmp_path / "a", **options)), trained(uniapl(tmp_path / "b", **options))
    assert stock[0] == ours[0]
    assert all(torch.equal(a, b) for a, b in zip(stock[1], ours[1], strict=True))
    assert torch.equal(stock[2], ours[2])
    assert any(g.abs().sum() > 0 for g in stock[1])


def test_a_constant_discriminator_adds_exactly_nothing_whatever_lambda(tmp_path):
    stock, ours = trained(grpo(tmp_path / "a")), trained(uniapl(tmp_path / "b", CONSTANT, lam=0.5))
    assert all(torch.equal(a, b) for a, b in zip(stock[1], ours[1], strict=True))


def test_a_discriminator_equal_to_the_reward_doubles_the_gradient_at_lambda_one(tmp_path):
    stock = trained(grpo(tmp_path / "a", max_steps=1, max_grad_norm=1e9))
    ours = trained(uniapl(tmp_path / "b", REWARD, lam=1.0, max_steps=1, max_grad_norm=1e9))
    torch.testing.assert_close(2 * stock[1][0], ours[1][0], rtol=1e-4, atol=1e-7)


def test_at_mu_one_the_loss_is_that_of_stock_sft_on_the_same_rows(tmp_path):
    ours = uniapl(
        tmp_path / "a", mu_peak=1.0, mu_valley=1.0, demonstrations_per_step=24, max_steps=1, max_grad_norm=1e9
    )
    losses, gradients, _ = trained(ours)
    rows = [
        {"prompt": r["prompt"], "completion": [{"role": "assistant", "content": r["demonstration"]}]}
        for r in miniature.chats()
    ]
    names = ("num_generations", "max_completion_length", "beta", "disable_dropout")
    options = {k: v for k, v in COMMON.items() if k not in names}
    options |= {"per_device_train_batch_size": 24, "max_steps": 1, "max_grad_norm": 1e9}
    stock = SFTTrainer(
        model=miniature.policy(),
        args=SFTConfig(output_dir=str(tmp_path / "b"), completion_only_loss=True, max_length=None, **options),
        train_dataset=Dataset.from_list(rows),
        processing_class=miniature.tokenizer(),
    )
    stock_losses, stock_gradients, _ = trained(stock)
    assert losses[0] == pytest.approx(stock_losses[0], rel=1e-5)  # padding sides differ, hence not bit for bit
    torch.testing.assert_close(gradients[0], stock_gradients[0], rtol=1e-3, atol=1e-6)


def test_the_logged_terms_add_up_to_the_loss(tmp_path):
    trainer = uniapl(tmp_path, mu_peak=0.3, mu_valley=0.3, lam=0.5)
    trainer.train()
    for row in trainer.state.log_history[:3]:
        total = 0.7 * row["loss_preference"] + 0.3 * row["loss_demonstration"] + 0.5 * row["loss_adversarial"]
        assert row["loss"] == pytest.approx(total, abs=1e-5)
        assert row["loss_demonstration"] > 1  # random weights: far above zero, so the sum is not trivially right


@pytest.mark.parametrize("batch", [8, 4])
def test_demonstration_gradient_does_not_depend_on_the_layout_of_micro_batches(tmp_path, batch):
    options = {
        "mu_peak": 1.0,
        "mu_valley": 1.0,
        "max_steps": 1,
        "max_grad_norm": 1e9,
        "demonstrations_per_step": 16,
    }
    whole = trained(uniapl(tmp_path / "a", per_device_train_batch_size=16, **options))
    split = trained(
        uniapl(
            tmp_path / "b",
            per_device_train_batch_size=batch,
            gradient_accumulation_steps=16 // batch,
            **options,
        )
    )
    torch.testing.assert_close(whole[1][0], split[1][0], rtol=1e-3, atol=1e-6)


def test_every_demonstration_is_seen_once_per_epoch(tmp_path):
    trainer = uniapl(tmp_path, demonstrations_per_step=8)
    trainer.current_gradient_accumulation_steps = 1
    seen = []
    for trainer.state.global_step in range(3):  # 24 demonstrations, 8 a step
        batch = trainer._demonstration_batch({})
        assert batch.response.sum().item() == batch.tokens
        responses = batch.ids[:, -batch.response.shape[1] :]
        seen += [tuple(row[m.bool()].tolist()) for row, m in zip(responses, batch.response, strict=True)]
    assert sorted(seen) == sorted(tuple(response.tolist()) for _, response in trainer._demonstrations)


def test_a_demonstration_ends_with_the_token_that_ends_a_rollout(tmp_path):
    end = miniature.tokenizer().eos_token_id
    for _, response in uniapl(tmp_path)._demonstrations:
        assert response[-1] == end and (response == end).sum() == 1


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_options_that_the_added_terms_do_not_honour_are_refused(tmp_path, name):
    other = {"beta": 0.1, "entropy_coef": 0.1, "temperature": 0.7, "top_entropy_quantile": 0.5}.get(
        name, not REQUIRED[name]
    )
    with pytest.raises((ValueError, TypeError), match=name):
        uniapl(tmp_path, **{name: other})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss_type": "bnpo"}, "bnpo"),
        ({"demonstrations_per_step": 7, "gradient_accumulation_steps": 2}, "multiple"),
    ],
)
def test_impossible_settings_are_refused_with_the_reason(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        uniapl(tmp_path, **options)


def test_a_missing_demonstration_column_is_refused(tmp_path):
    with pytest.raises(ValueError, match="demonstration"):
        UniAPLTrainer(
            model=miniature.policy(),
            reward_funcs=[miniature.words],
            args=UniAPLConfig(output_dir=str(tmp_path), **COMMON),
            train_dataset=Dataset.from_list([{"prompt": r["prompt"]} for r in miniature.chats()]),
            processing_class=miniature.tokenizer(),
        )


def test_a_score_that_is_not_finite_stops_the_training(tmp_path):
    with pytest.raises(ValueError, match="not finite"):
        uniapl(tmp_path, miniature.Scorer(lambda reference, response: float("nan")), lam=0.1).train()


@pytest.mark.parametrize(
    "options",
    [{}, {"num_iterations": 2}, {"max_steps": 14}],  # inside a step's reuse of rollouts; 12 steps are an epoch
    ids=["plain", "mid-generation", "second epoch"],
)
def test_resuming_ends_with_the_weights_of_an_undisturbed_run(tmp_path, options):
    options = {"mu_peak": 0.5, "mu_valley": 0.1, "mu_decay": 6, "lam": 0.3, "max_steps": 6} | options
    through = trained(uniapl(tmp_path / "a", **options))
    stop = options["max_steps"] - 1
    first = uniapl(tmp_path / "b", save_steps=stop, **{**options, "save_strategy": "steps"})

    class Stop(TrainerCallback):
        def on_save(self, args, state, control, **kwargs):
            control.should_training_stop = True

    first.add_callback(Stop())
    first.train()
    second = uniapl(tmp_path / "b", **options)
    second.train(resume_from_checkpoint=str(tmp_path / "b" / f"checkpoint-{stop}"))
    assert torch.equal(through[2], miniature.weights(second.model))
