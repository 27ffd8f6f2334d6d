"""The packed training pass: TRL's losses and gradients up to rounding, nothing else."""

import pytest
import torch
from datasets import Dataset
from support import engines, miniature
from support.trainers import grpo as stock_grpo
from support.trainers import trained
from transformers import AutoModelForCausalLM
from trl import GRPOConfig

from uniapl.method.engine.packing import SPREAD, pack, runs
from uniapl.method.engine.trainer import PLAIN, Engine, EngineTrainer, by_prompt

PACKED = Engine(packed=True)


def same(plain, packed):
    """Losses and gradients of two trainings are equal up to float32 rounding, and not zero."""
    assert packed[0] == pytest.approx(plain[0], rel=1e-5, abs=1e-7)
    for expected, found in zip(plain[1], packed[1], strict=True):
        assert expected.norm() > 1e-3
        assert (found - expected).norm() / expected.norm() < 3e-6


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"loss_type": "grpo"},
        {"loss_type": "dr_grpo", "scale_rewards": "none"},
        {"num_iterations": 2},
        {"importance_sampling_level": "sequence"},
        {"mask_truncated_completions": True},
        {"gradient_checkpointing": True},
        {"temperature": 0.7},
    ],
    ids=str,
)
def test_losses_and_gradients_are_those_of_the_plain_path(tmp_path, options):
    same(trained(engines.grpo(tmp_path / "a", **options)), trained(engines.grpo(tmp_path / "b", PACKED, **options)))


def test_the_reference_models_pass_is_packed_too(tmp_path, policy):
    def moved():
        model = AutoModelForCausalLM.from_pretrained(policy, dtype=torch.float32)
        with torch.no_grad():
            model.model.norm.weight.mul_(1.5)  # the reference model is read from the folder: the KL is not 0
        return model

    plain, packed = (
        engines.grpo(tmp_path / name, engine, model=moved(), beta=0.5) for name, engine in (("a", PLAIN), ("b", PACKED))
    )
    same(trained(plain), trained(packed))
    assert packed.state.log_history[0]["kl"] > 1e-3


@pytest.mark.parametrize("own_prompts", [False, True])
def test_uniapl_with_demonstrations_and_discriminator_is_the_same_packed(tmp_path, own_prompts):
    plain = trained(engines.uniapl(tmp_path / "a", own_prompts=own_prompts))
    same(plain, trained(engines.uniapl(tmp_path / "b", PACKED, own_prompts=own_prompts)))


def test_luffy_is_the_same_packed(tmp_path):
    same(trained(engines.luffy(tmp_path / "a")), trained(engines.luffy(tmp_path / "b", PACKED)))


@pytest.mark.parametrize("make", [engines.grpo, engines.uniapl], ids=["grpo", "uniapl"])
@pytest.mark.parametrize("rows", [2, 4])
def test_micro_batches_of_any_size_add_up_to_one_batch(tmp_path, make, rows):
    layout = {"per_device_train_batch_size": rows, "gradient_accumulation_steps": 8 // rows}
    whole, parts = trained(make(tmp_path / "a", PACKED)), trained(make(tmp_path / "b", PACKED, **layout))
    for expected, found in zip(whole[1], parts[1], strict=True):
        assert (found - expected).norm() / expected.norm() < 3e-6


def test_without_an_engine_the_training_is_stock_bit_for_bit(tmp_path):
    stock = trained(stock_grpo(tmp_path / "a"))
    ours = trained(
        EngineTrainer(
            engine=PLAIN,
            model=miniature.policy(),
            reward_funcs=[miniature.words],
            args=GRPOConfig(output_dir=str(tmp_path / "b"), **engines.COMMON),
            train_dataset=Dataset.from_list(miniature.chats()),
            processing_class=miniature.tokenizer(),
        )
    )
    assert stock[0] == ours[0] and torch.equal(stock[2], ours[2])


def padded(prompts, completions, fill=0):
    """Ids and mask as TRL pads them."""
    p, c = max(map(len, prompts)), max(map(len, completions))
    pairs = list(zip(prompts, completions, strict=True))
    ids = [[fill] * (p - len(x)) + x + y + [fill] * (c - len(y)) for x, y in pairs]
    mask = [[0] * (p - len(x)) + [1] * (len(x) + len(y)) + [0] * (c - len(y)) for x, y in pairs]
    return torch.tensor(ids), torch.tensor(mask), c


def test_a_packed_batch_holds_each_prompt_once_and_no_padding():
    prompts = [[1, 2, 3], [9], [1, 2, 3]]
    packed = pack(*padded(prompts, [[4, 5, 6, 7], [8], [5, 6]]))
    # prefixes: none of [9], then [1, 2]; rows by length: 9 -> 8; 3 5 -> 5 6; 3 4 5 6 -> 4 5 6 7
    assert packed.ids.tolist() == [[1, 2, 9, 3, 5, 3, 4, 5, 6]]
    assert packed.positions.tolist() == [[0, 1, 0, 2, 3, 2, 3, 4, 5]]
    assert packed.labels.tolist() == [[-100, -100, 8, 5, 6, 4, 5, 6, 7]]
    values = torch.arange(9.0)[None]
    assert packed.unpack(values, (3, 4)).tolist() == [[5, 6, 7, 8], [2, 0, 0, 0], [3, 4, 0, 0]]


def test_a_row_whose_completion_is_masked_whole_is_left_out():
    ids, mask, columns = padded([[1, 2], [1, 2]], [[4, 5], [6, 7]])
    mask[0, 2:] = 0
    packed = pack(ids, mask, columns)
    assert packed.ids.tolist() == [[1, 2, 6]] and packed.places.tolist() == [2, 3]


@pytest.mark.parametrize("hole", [(0, 3), (1, 1)], ids=["in a completion", "in a prompt"])
def test_a_row_with_a_hole_is_refused(hole):
    ids, mask, columns = padded([[1, 2, 3], [1, 2, 3]], [[4, 5], [6, 7]])
    mask[hole] = 0
    with pytest.raises(ValueError, match="is not"):
        pack(ids, mask, columns)


def test_runs_hold_rows_of_nearly_equal_length():
    lengths = sorted(torch.randint(1, 400, (60,), generator=torch.Generator().manual_seed(0)).tolist())
    cut = [lengths[run] for run in runs(lengths)]
    assert sum(cut, []) == lengths
    assert all(run[-1] <= SPREAD * run[0] + 8 for run in cut)


def test_groups_come_together_and_every_row_keeps_what_is_its_own():
    prompt_ids = torch.tensor([[0, 1], [2, 3], [0, 1], [2, 3]])
    mask = torch.tensor([[0, 1], [1, 1], [0, 1], [1, 1]])
    rows = {"prompt_ids": prompt_ids, "prompt_mask": mask, "advantages": torch.arange(4.0), "num": torch.tensor(7)}
    batches = [{k: v[i : i + 2] if v.dim() else v for k, v in rows.items()} for i in (0, 2)]
    first, second = by_prompt(batches)
    assert first["advantages"].tolist() == [0, 2] and second["advantages"].tolist() == [1, 3]
    assert first["prompt_ids"].tolist() == [[0, 1], [0, 1]] and first["num"] == second["num"] == 7


def test_a_model_whose_attention_would_ignore_the_packing_is_refused(tmp_path):
    trainer = engines.grpo(tmp_path, PACKED)
    trainer.model.set_attn_implementation("sdpa")
    with pytest.raises(ValueError, match="ignores packing"):
        trainer.train()


def test_attention_dropout_is_refused(tmp_path):
    policy = miniature.policy()
    policy.config.attention_dropout = 0.1
    with pytest.raises(ValueError, match="attention_dropout"):
        EngineTrainer(
            engine=PACKED,
            model=policy,
            reward_funcs=[miniature.words],
            args=GRPOConfig(output_dir=str(tmp_path), **engines.COMMON),
            train_dataset=Dataset.from_list(miniature.chats()),
            processing_class=miniature.tokenizer(),
        )


def test_the_rounded_head_is_as_near_to_float32_as_autocast_is(tmp_path):
    """Error of the first step's gradient against float32: all of autocast's, with and without the head's rounding."""
    one, fast = {"max_steps": 1}, Engine(packed=True, fast_head=True)
    exact = trained(engines.grpo(tmp_path / "a", PACKED, **one))[1][0]
    assert torch.equal(exact, trained(engines.grpo(tmp_path / "b", fast, **one))[1][0])  # float32: nothing to round
    autocast = trained(engines.grpo(tmp_path / "c", PACKED, bf16=True, **one))[1][0]
    rounded = trained(engines.grpo(tmp_path / "d", fast, bf16=True, **one))[1][0]
    assert not torch.equal(autocast, rounded)
    assert (rounded - exact).norm() < 1.2 * (autocast - exact).norm() < 0.1 * exact.norm()


@pytest.mark.parametrize("mode", ["token_truncate", "token_mask", "sequence_truncate", "sequence_mask"])
def test_the_late_correction_is_trls(tmp_path, mode):
    """TRL takes it in a forward pass of its own before the loss: the same gradient, the same logged statistics."""

    def run(folder, engine):
        limits = {"vllm_importance_sampling_clip_min": 0.7, "vllm_importance_sampling_clip_max": 1.3}
        limits |= {"vllm_importance_sampling_mode": mode, "per_device_train_batch_size": 4}
        trainer = engines.grpo(tmp_path / folder, engine, engines.WithSampler, gradient_accumulation_steps=2, **limits)
        trainer.use_vllm = True  # what TRL asks before it corrects; the rollouts are scripted
        if trainer._late:
            trainer._corrects = True
        return trained(trainer), trainer.state.log_history

    (plain, history), (late, ours) = run("a", PLAIN), run("b", Engine(packed=True, late_correction=True))
    same(plain, late)
    names = [name for name in history[0] if name.startswith("sampling/")]
    assert len(names) == 5
    for name in names:
        if mode.startswith("token") or "logp" in name:  # TRL logs a response's ratio once, we at each of its tokens
            assert ours[0][name] == pytest.approx(history[0][name], rel=1e-3, abs=1e-4)
    assert history[0]["sampling/sampling_logp_difference/mean"] > 0.1
