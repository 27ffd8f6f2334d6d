"""Rollouts are the policy's own: whatever else would act on them is refused by name, or acts on nothing."""

import types

import pytest
import torch
from support import miniature, trainers
from transformers import GenerationConfig
from trl.generation import vllm_generation

from uniapl.method import deepspeed
from uniapl.method.grpo import check_generation, named_server, seeded_vllm

SMUGGLED = {  # fields of a checkpoint's generation_config that transformers would apply to TRL's rollouts
    "min_p": 0.3,
    "no_repeat_ngram_size": 2,
    "typical_p": 0.9,
    "epsilon_cutoff": 3e-4,
    "eta_cutoff": 3e-4,
    "top_h": 0.5,
    "num_beams": 2,
    "num_return_sequences": 2,
    "suppress_tokens": [5],
    "begin_suppress_tokens": [5],
    "bad_words_ids": [[5]],
    "sequence_bias": [[[5], 9.0]],
    "forced_bos_token_id": 5,
    "forced_eos_token_id": 1,
    "min_length": 30,
    "min_new_tokens": 4,
    "max_time": 0.1,
    "stop_strings": ["a"],
    "exponential_decay_length_penalty": [2, 1.5],
    "encoder_repetition_penalty": 1.2,
    "guidance_scale": 2.0,
    "token_healing": True,
    "remove_invalid_values": True,
    "return_dict_in_generate": True,
    "penalty_alpha": 0.6,
    "prompt_lookup_num_tokens": 3,
    "cache_implementation": "quantized",
}
REQUESTED = {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": None, "repetition_penalty": 1.0}


@pytest.mark.parametrize("name", SMUGGLED)
def test_a_field_of_the_checkpoint_that_acts_on_rollouts_is_refused_by_name(name):
    model = miniature.policy()
    setattr(model.generation_config, name, SMUGGLED[name])
    with pytest.raises(ValueError, match=f"model's generation_config has {name}=.*generation_config.{name} = None"):
        check_generation(model, GenerationConfig(max_new_tokens=8, **REQUESTED))


@pytest.mark.parametrize("method", [name for name in trainers.METHODS if name not in trainers.OF_SFT])
def test_every_method_with_rollouts_refuses_it(tmp_path, monkeypatch, method):
    build = miniature.policy

    def smuggling():
        model = build()
        model.generation_config.min_p = 0.3
        return model

    monkeypatch.setattr(miniature, "policy", smuggling)
    with pytest.raises(ValueError, match="min_p=0.3"):
        trainers.METHODS[method](tmp_path)


def test_sampling_settings_that_trl_names_itself_change_no_rollout_and_the_checkpoint_keeps_them(tmp_path):
    """temperature, top_k, top_p and repetition_penalty, of which real checkpoints are full."""

    def trained(folder, **settings):
        trainer = trainers.own_grpo(tmp_path / folder, max_steps=1)
        trainer.model.generation_config.update(**settings)
        return trainers.trained(trainer), trainer

    settings = {"do_sample": True, "temperature": 0.1, "top_k": 2, "top_p": 0.3, "repetition_penalty": 1.5}
    (plain, _), (other, trainer) = trained("a"), trained("b", **settings)
    assert torch.equal(plain[1][0], other[1][0]) and plain[1][0].abs().sum() > 0
    check_generation(trainer.model, trainer.generation_config)
    assert trainer.model.generation_config.top_k == 2


def test_every_end_token_of_the_checkpoint_ends_a_rollout_and_none_is_in_its_middle(tmp_path, monkeypatch):
    build, ends = miniature.policy, [1, *range(5, 105)]  # a fifth of the vocabulary, so that some are drawn

    def many_ends():
        model = build()
        model.generation_config.eos_token_id = ends
        return model

    monkeypatch.setattr(miniature, "policy", many_ends)
    trainer, seen = trainers.own_grpo(tmp_path, max_steps=1), []
    generate = trainer._generate_single_turn

    def watched(*args, **kwargs):
        seen.append(generate(*args, **kwargs))
        return seen[-1]

    trainer._generate_single_turn = watched
    trainer.train()
    rollouts = seen[0][0]
    assert all(not set(ids[:-1]) & set(ends) for ids in rollouts)
    assert any(ids[-1] in ends and ids[-1] != 1 for ids in rollouts)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_p": 0.1}, "min_p=0.1 changes rollouts"),
        ({"top_k": 50}, "top_k=50 changes rollouts"),
        ({"top_p": 0.9}, "top_p=0.9 changes rollouts"),
        ({"repetition_penalty": 1.1}, "repetition_penalty=1.1 changes rollouts"),
        ({"generation_kwargs": {"no_repeat_ngram_size": 2}}, "generation_kwargs"),
        ({"generation_kwargs": {"top_k": None}}, "generation_kwargs"),  # then transformers' 50
        ({"use_transformers_continuous_batching": True, "bf16": True}, "converts the trained policy"),
        ({"loss_type": "bnpo"}, "micro-batch"),
        ({"neftune_noise_alpha": 5.0}, "neftune_noise_alpha=5.0 adds noise"),
        ({"label_smoothing_factor": 0.1}, "label_smoothing_factor=0.1 would act on no term"),
        ({"ignore_data_skip": True}, "read other rows"),
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["grpo", "uniapl"])
def test_arguments_that_change_rollouts_unseen_are_refused(tmp_path, method, options, message):
    with pytest.raises(ValueError, match=message):
        trainers.METHODS[method](tmp_path, **options)


# vLLM and DeepSpeed, by stand-ins.


def test_vllm_samples_by_the_seed_of_the_run_and_by_the_process(monkeypatch):
    class LLM:
        def __init__(self, model, *, seed):
            self.seed = seed

    monkeypatch.setattr(vllm_generation, "LLM", LLM, raising=False)
    seeds = set()
    for run in (0, 1, 2):
        with seeded_vllm(run):
            seeds |= {vllm_generation.LLM("policy", seed=process).seed for process in range(8)}  # as TRL passes it
    assert len(seeds) == 24
    assert vllm_generation.LLM is LLM  # nobody else's vLLM is touched


@pytest.mark.parametrize(
    ("release", "zero", "refused"),
    [
        ("0.18.9", {"stage": 2, "offload_optimizer": {"device": "cpu"}}, True),
        ("0.18.9", {"stage": 1, "offload_optimizer": {"device": "nvme"}}, True),
        ("0.19.0", {"stage": 2, "offload_optimizer": {"device": "cpu"}}, False),
        ("0.18.9", {"stage": 2, "offload_optimizer": {"device": "none"}}, False),
        ("0.18.9", {"stage": 2}, False),
        ("0.18.9", {"stage": 3, "offload_optimizer": {"device": "cpu"}}, False),
    ],
)
def test_a_deepspeed_that_drops_micro_batches_is_refused(monkeypatch, release, zero, refused):
    monkeypatch.setattr(deepspeed, "version", lambda _: release)
    plugin = types.SimpleNamespace(deepspeed_config={"zero_optimization": zero})
    accelerator = types.SimpleNamespace(state=types.SimpleNamespace(deepspeed_plugin=plugin))
    if refused:
        with pytest.raises(ValueError, match="DeepSpeed 0.18.9 drops micro-batches.*install 0.19.0"):
            deepspeed.check_deepspeed(accelerator)
    else:
        deepspeed.check_deepspeed(accelerator)


@pytest.mark.parametrize("error", [ConnectionError("refused"), RuntimeError("no endpoint")])
def test_a_server_that_cannot_serve_is_named_and_no_error_of_another_source_is(error):
    asked = types.SimpleNamespace(use_vllm=True, vllm_mode="server", vllm_server_base_url="http://host:8000")
    with pytest.raises(ValueError, match=f"rollouts from http://host:8000: {error}"), named_server(asked):
        raise error
    asked.vllm_mode = "colocate"
    with pytest.raises(type(error), match=str(error)), named_server(asked):
        raise error
