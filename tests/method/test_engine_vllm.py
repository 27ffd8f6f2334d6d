"""TRL's colocated vLLM on a CPU: what was pushed is what generates. Needs vLLM's environment: make test-vllm."""

import dataclasses

import pytest
import torch
from datasets import Dataset
from support import engines, miniature
from transformers import AutoModelForCausalLM
from trl import GRPOConfig

from uniapl.data.miniature.model import build_policy
from uniapl.method.engine import colocated
from uniapl.method.engine.trainer import Engine, EngineTrainer

pytestmark = pytest.mark.vllm
ENGINE = Engine(packed=True, late_correction=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A checkpoint with heads of 32, the narrowest that vLLM's CPU attention has."""
    folder = tmp_path_factory.mktemp("policy")
    build_policy(miniature.tokenizer(), dataclasses.replace(miniature.SIZE, head=32), 0).save_pretrained(folder)
    miniature.tokenizer().save_pretrained(folder)
    return folder


def trainer(folder, tmp_path, engine=ENGINE, **options):
    options = {**engines.COMMON, "learning_rate": 3e-2, "max_steps": 3, **options}  # so far a step that it is seen
    return EngineTrainer(
        engine=engine,
        model=AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32),
        reward_funcs=[miniature.words],
        args=GRPOConfig(
            output_dir=str(tmp_path),
            use_vllm=True,
            vllm_mode="colocate",
            vllm_max_model_length=128,
            **options,
        ),
        train_dataset=Dataset.from_list(miniature.chats()),
        processing_class=miniature.tokenizer(),
    )


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory):
    """A trainer after three steps, each of whose rollouts vLLM drew, and torch's seed after its construction."""
    threads = torch.get_num_threads()
    made = trainer(folder, tmp_path_factory.mktemp("run"), seed=5)
    made.state_at_start = torch.initial_seed(), torch.get_num_threads() == threads
    made.train()
    return made


def test_every_steps_rollouts_come_from_the_weights_of_that_step(trained):
    apart = [row["sampling/sampling_logp_difference/max"] for row in trained.state.log_history[:3]]
    assert max(apart) < 1e-4, apart


def test_weights_that_were_not_pushed_are_seen(trained):
    """The same statistic with the synchronization left out: the test above can fail."""
    with torch.no_grad():
        trained.model.model.norm.weight.mul_(1.5)
    trained._last_loaded_step = trained.state.global_step  # TRL believes that the weights are there
    prompt = miniature.tokenizer().apply_chat_template(
        miniature.chats(1)[0]["prompt"], add_generation_prompt=True, return_dict=False
    )
    greedy = greedy_of(trained, prompt)
    pushed = (trained.vllm_generation.sync_weights(), greedy_of(trained, prompt))[1]
    assert pushed == of_policy(trained.model, prompt) != greedy


def greedy_of(made, prompt: list[int]) -> list[int]:
    """Twelve tokens of the engine, and the log-probability of the first."""
    from vllm import SamplingParams

    asked = SamplingParams(temperature=0, max_tokens=12, ignore_eos=True, logprobs=0)
    [out] = made.vllm_generation.llm.generate([{"prompt_token_ids": prompt}], asked, use_tqdm=False)
    first = next(iter(out.outputs[0].logprobs[0].values())).logprob
    return [*out.outputs[0].token_ids, round(first, 2)]


def of_policy(model, prompt: list[int]) -> list[int]:
    """The same of the policy."""
    ids = torch.tensor([prompt])
    with torch.no_grad():
        out = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False, eos_token_id=None
        )
        first = model(input_ids=ids).logits[0, -1].log_softmax(-1).max().item()
    return [*out[0, len(prompt) :].tolist(), round(first, 2)]


def test_the_processs_seed_and_threads_are_the_trainings(trained):
    """vLLM seeds every generator of its process with 0, and replaces torch.set_num_threads by what ignores the call."""
    assert trained.state_at_start == (5, True)
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    assert torch.get_num_threads() == before + 1
    torch.set_num_threads(before)


def test_the_wrapper_is_trls_outside_the_construction():
    from trl.generation.vllm_generation import VLLMGeneration
    from trl.trainer import grpo_trainer

    assert grpo_trainer.VLLMGeneration is VLLMGeneration
    with colocated.installed():
        assert grpo_trainer.VLLMGeneration is colocated.Colocated
    assert grpo_trainer.VLLMGeneration is VLLMGeneration
