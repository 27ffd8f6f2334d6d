"""UniAPLTrainer: exact reductions to stock TRL, the sum of its parts, layouts, resuming."""

import pytest
import torch
from datasets import Dataset
from support import miniature
from support.trainers import COMMON, Learning, grpo, trained, uniapl
from trl import GRPOConfig, GRPOTrainer, SFTConfig, SFTTrainer

from uniapl.method import objective
from uniapl.method.trainer import UniAPLConfig, UniAPLTrainer

CONSTANT = miniature.Scorer(lambda reference, response: 2.5)
REWARD = miniature.Scorer(lambda reference, response: miniature.words([[{"content": response}]])[0])
MIXED = {"mu_peak": 0.4, "mu_valley": 0.4, "lam": 0.5, "max_steps": 1, "learning_rate": 0.0}


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
        batch = trainer.demonstrations.stream_batch(8)
        assert batch.response.sum().item() == batch.tokens
        responses = batch.ids[:, -batch.response.shape[1] :]
        seen += [tuple(row[m.bool()].tolist()) for row, m in zip(responses, batch.response, strict=True)]
    assert sorted(seen) == sorted(tuple(response.tolist()) for _, response in trainer.demonstrations.rows)


def test_a_demonstration_ends_with_the_token_that_ends_a_rollout(tmp_path):
    end = miniature.tokenizer().eos_token_id
    for _, response in uniapl(tmp_path).demonstrations.rows:
        assert response[-1] == end and (response == end).sum() == 1


def test_terms_of_weight_zero_are_not_computed(tmp_path):
    scorer = miniature.Scorer(miniature.nearness)
    trainer = uniapl(tmp_path, scorer)
    trainer.demonstrations.stream_batch = None  # calling it would fail
    trainer.train()
    assert scorer.calls == 0
    scored = uniapl(tmp_path, scorer, lam=0.1)
    scored.train()
    assert scorer.calls == 3  # once per generated batch


def test_on_policy_the_separate_loss_is_advantage_addition(tmp_path):
    class Added(GRPOTrainer):
        def _calculate_rewards(self, inputs, prompts, completions, completion_ids_list):
            self.texts = [c[0]["content"] for c in completions], [row["demonstration"] for row in inputs]
            return super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)

        def _generate_and_score_completions(self, inputs):
            output = super()._generate_and_score_completions(inputs)
            score = torch.tensor([miniature.nearness(d, c) for c, d in zip(*self.texts, strict=True)])
            return {**output, "advantages": output["advantages"] + 0.7 * objective.group_advantage(score, 4)}

    one = {"max_steps": 1, "max_grad_norm": 1e9}
    added = Added(
        model=miniature.policy(),
        reward_funcs=[miniature.words],
        args=GRPOConfig(output_dir=str(tmp_path / "a"), **{**COMMON, **one}),
        train_dataset=Dataset.from_list(miniature.chats()),
        processing_class=miniature.tokenizer(),
    )
    folded, separate = trained(added), trained(uniapl(tmp_path / "b", lam=0.7, **one))
    torch.testing.assert_close(folded[1][0], separate[1][0], rtol=1e-4, atol=1e-7)
    assert not torch.allclose(trained(grpo(tmp_path / "c", **one))[1][0], separate[1][0], rtol=1e-2)


def first_inputs(trainer):
    """The inputs of the first loss, and the trainer ready to compute it again."""
    seen = []
    compute = trainer._compute_loss

    def compute_and_keep(model, inputs):
        seen.append(inputs)
        return compute(model, inputs)

    trainer._compute_loss = compute_and_keep
    trainer.train()
    trainer._compute_loss = compute
    trainer.state.global_step, trainer.model = 0, trainer.model.train()
    return seen[0]


def gradient(trainer, inputs):
    trainer.model.zero_grad()
    trainer._compute_loss(trainer.model, inputs).backward()
    return torch.cat([p.grad.flatten().clone() for p in trainer.model.parameters()])


def test_rows_can_be_permuted_and_padding_poisoned_and_inputs_are_never_written(tmp_path):
    trainer = uniapl(tmp_path, **MIXED)
    inputs = first_inputs(trainer)
    inputs["completion_mask"][:3, -4:] = 0  # random weights never end a response: three that ended early
    before = {k: v.clone() for k, v in inputs.items() if isinstance(v, torch.Tensor)}
    expected = gradient(trainer, inputs)
    order = torch.tensor([5, 2, 7, 0, 3, 1, 6, 4])
    permuted = {k: v[order] if isinstance(v, torch.Tensor) and v.dim() else v for k, v in inputs.items()}
    torch.testing.assert_close(gradient(trainer, permuted), expected, rtol=1e-3, atol=1e-6)
    poisoned = dict(inputs)
    for side in ("prompt", "completion"):
        poisoned[f"{side}_ids"] = inputs[f"{side}_ids"].where(inputs[f"{side}_mask"].bool(), 7)
        assert not (inputs[f"{side}_mask"].all())  # there is padding to poison
    torch.testing.assert_close(gradient(trainer, poisoned), expected, rtol=1e-4, atol=1e-7)
    assert all(torch.equal(before[k], inputs[k]) for k in before)
    inputs["completion_mask"][:3, -4:] = 1
    assert not torch.allclose(gradient(trainer, inputs), expected, rtol=1e-2)


def test_own_prompts_learn_the_demonstrations_of_the_steps_prompts(tmp_path):
    trainer = uniapl(tmp_path, own_prompts=True, **MIXED)
    inputs = first_inputs(trainer)
    batch = trainer.demonstrations.own_batch(inputs)
    rows = inputs["row"].unique().tolist()
    assert len(rows) == 2  # 8 rollouts in groups of 4
    assert batch.response.sum().item() == sum(len(trainer.demonstrations.rows[row][1]) for row in rows) == batch.tokens


def test_prompts_without_a_demonstration_are_left_out_of_the_adversarial_term_alone(tmp_path):
    rows = miniature.chats()
    known = Dataset.from_list(rows[:5])
    rows = [{**row, "demonstration": row["demonstration"] if i < 5 else None} for i, row in enumerate(rows)]
    trainer = uniapl(tmp_path, rows=rows, demonstrations=known, mu_peak=0.5, mu_valley=0.5, lam=0.5)
    seen, generate = [], trainer._generate_and_score_completions

    def generate_and_keep(inputs):
        output = generate(inputs)
        seen.append((inputs, output))
        return output

    trainer._generate_and_score_completions = generate_and_keep
    trainer.train()
    for inputs, output in seen:
        without = torch.tensor([row["demonstration"] is None for row in inputs])
        assert without.any() and (output["adversarial_advantages"][without] == 0).all()
    assert any((output["adversarial_advantages"] != 0).any() for _, output in seen)
    assert len(trainer.demonstrations) == 5


@pytest.mark.parametrize(("penalty", "damping"), [(0.0, 0.0), (0.3, 0.3)])  # 0.3 (1.5 - 0.5)
def test_the_dual_variable_follows_the_distance_and_is_logged(tmp_path, penalty, damping):
    below = miniature.Scorer(lambda reference, response: 2.0 if reference == response else 0.5)
    trainer = uniapl(tmp_path, below, lam=0.2, lam_step=0.1, lam_penalty=penalty, eps=0.5)
    trainer.train()
    # d = 2 - 0.5 = 1.5 at every step, so lambda grows by 0.1 (1.5 - 0.5) = 0.1
    log = [row for row in trainer.state.log_history if "lam" in row]
    assert [row["lam"] for row in log] == pytest.approx([0.3 + damping, 0.4 + damping, 0.5 + damping])
    assert [row["distance"] for row in log] == [1.5] * 3 and [row["auc"] for row in log] == [1.0] * 3


def test_plain_text_prompts_work_too(tmp_path):
    rows = [{"prompt": r["prompt"][0]["content"], "demonstration": r["demonstration"]} for r in miniature.chats()]
    trainer = UniAPLTrainer(
        model=miniature.policy(),
        reward_funcs=[lambda completions, **_: [float(len(set(c))) for c in completions]],
        discriminator=miniature.Scorer(miniature.nearness),
        args=UniAPLConfig(output_dir=str(tmp_path), **{**COMMON, "max_steps": 1}, mu_peak=0.5, mu_valley=0.5, lam=0.1),
        train_dataset=Dataset.from_list(rows),
        processing_class=miniature.tokenizer(),
    )
    trainer.train()
    end = miniature.tokenizer().eos_token_id
    assert all(response[-1] == end for _, response in trainer.demonstrations.rows)


def experts_scored(scorer) -> list[str]:
    """The prompts whose expert the discriminator is asked to score from now on."""
    seen, score = [], scorer.score

    def watched(prompts, references, responses):
        seen.extend(
            p for p, reference, response in zip(prompts, references, responses, strict=True) if reference == response
        )
        return score(prompts, references, responses)

    scorer.score = watched
    return seen


@pytest.mark.parametrize(("learns", "scored"), [(False, 24), (True, 28)], ids=["frozen", "learning"])
def test_the_expert_is_scored_once_unless_the_discriminator_learns(tmp_path, learns, scored):
    scorer = Learning() if learns else miniature.Scorer(miniature.nearness)
    seen = experts_scored(scorer)
    uniapl(tmp_path, scorer, lam=0.1, max_steps=14).train()  # 24 prompts, 2 per step
    assert len(seen) == scored


def test_a_resumed_training_knows_the_experts_scores(tmp_path):
    options = {"lam": 0.1, "save_steps": 12, "save_strategy": "steps"}
    uniapl(tmp_path, max_steps=12, **options).train()  # an epoch
    scorer = miniature.Scorer(miniature.nearness)
    seen = experts_scored(scorer)
    uniapl(tmp_path, scorer, max_steps=14, **options).train(resume_from_checkpoint=str(tmp_path / "checkpoint-12"))
    assert seen == []
