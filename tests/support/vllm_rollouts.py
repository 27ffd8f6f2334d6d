"""Trainings on rollouts of vLLM, by the stand-in of tests/support/stand_ins: in the process, and behind a server."""

from pathlib import Path

import vllm
from accelerate.utils import gather_object
from trl.generation.vllm_client import VLLMClient

from support import miniature, trainers
from support.two_processes import MIXED, ONE_STEP
from support.vllm_server import VLLMServer
from uniapl.models.devices import is_main_process

TERMS = ("loss_preference", "loss_demonstration", "loss_adversarial")
TWO_STEPS = {**ONE_STEP, **MIXED, "max_steps": 2, "learning_rate": 0.1, "warmup_steps": 0, "seed": 5}
VLLM = {"use_vllm": True, "vllm_max_model_length": 256, "vllm_importance_sampling_mode": "token_truncate"}


def say_where(folder: Path) -> None:
    """Let a policy say from now on that it is from this folder: vLLM reads its shape there."""
    build = miniature.policy

    def policy():
        made = build()
        made.name_or_path = str(folder)
        return made

    miniature.policy = policy


def sampled(folder: Path, **options) -> dict:
    """Two steps of UniAPL, the learning rate so high that rollouts of old weights would be seen: what is logged."""
    trainer = trainers.uniapl(folder, **{**TWO_STEPS, **VLLM, **options})
    _, gradients, _ = trainers.trained(trainer)
    log = trainer.state.log_history[:2]
    return {
        "differences": gather_object([max(row["sampling/sampling_logp_difference/max"] for row in log)]),
        "ratios": [row["sampling/importance_sampling_ratio/mean"] for row in log],
        "terms": [[row[name] for name in TERMS] for row in log],
        "gradients": [gradient.norm().item() for gradient in gradients],
        "policy": [name for name, _ in trainer.accelerator.unwrap_model(trainer.model).named_parameters()],
    }


def colocated(folder: Path, **options) -> dict:
    """With an engine in each process; by process what it was given."""
    found = sampled(folder, vllm_mode="colocate", **options)
    (engine,) = vllm.LLM.made
    return found | {"pushes": gather_object([engine.pushes]), "seeds": gather_object([engine.seed])}


def served(folder: Path, **options) -> dict:
    """With a server, which the first process asks for all. Its engine is the stand-in's, its NCCL a queue."""
    server, begin = None, VLLMClient.init_communicator
    if is_main_process():
        start = miniature.policy().name_or_path
        engine = vllm.LLM(model=start, seed=7, max_model_len=256, logprobs_mode="processed_logprobs")
        server = VLLMServer(engine)
    VLLMClient.init_communicator = lambda self, device: begin(self, "cuda")  # TRL refuses a CPU, for NCCL's sake
    try:
        found = sampled(folder, vllm_mode="server", vllm_server_base_url=server and server.url, **options)
    finally:
        VLLMClient.init_communicator = begin
    if server:
        found |= {"pushes": [engine.pushes], "asked": server.asked}
        server.close()
    return found


def refusal(url: str, folder: Path, **options) -> str:
    """What a training says of the server there."""
    args = {**ONE_STEP, **VLLM, **options, "vllm_mode": "server", "vllm_server_timeout": 0.0}
    try:
        trainers.own_grpo(folder, vllm_server_base_url=url, **args)
    except ValueError as error:
        return str(error).replace(url, "URL")
    return ""


def refusals(folder: Path, **options) -> list[str]:
    """What is said of a server without its development endpoints, of one without weight transfer, and of none."""
    found = []
    for config in (None, {"weight_transfer_config": None}):
        server = VLLMServer(None, config)
        found.append(refusal(server.url, folder, **options))
        server.close()
    return [*found, refusal(server.url, folder, **options)]
