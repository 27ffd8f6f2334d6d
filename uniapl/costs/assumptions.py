"""What the plan cannot derive: each value with its source, to be replaced by what a first hour on the GPUs measures."""

import dataclasses
from dataclasses import dataclass

from uniapl.config import setting


@dataclass(frozen=True)
class Assumptions:
    """Tokens are means unless the name says otherwise; shares are of what the GPU's data sheet promises."""

    training_mfu: float = setting(0.30, "ours: assumed; share of the bfloat16 rate in forward and backward passes")
    forward_mfu: float = setting(0.40, "ours: assumed; share of the rate in passes without gradient")
    bandwidth_share: float = setting(0.50, "ours: assumed; share of the memory bandwidth that vLLM's decoding reaches")
    decode_overhead: float = setting(0.005, "ours: assumed; seconds per decoding step beside reading memory, vLLM")
    generate_overhead: float = setting(0.030, "ours: assumed; the same, transformers' generate (the probe)")
    step_seconds: float = setting(2.0, "ours: assumed; per optimizer step: weights to vLLM, rewards, optimizer, logs")
    start_seconds: float = setting(300.0, "ours: assumed; per job: imports, loading, vLLM's start, saving")
    prompt_tokens: float = setting(210.0, "ours: assumed; the 840 characters that docs/data.md counts with")
    spread: float = setting(1.0, "ours: assumed; standard deviation of the logarithm of a prompt's or text's tokens")
    response_tokens: float = setting(400.0, "ours: assumed; of rollouts and evaluated responses")
    teacher_tokens: float = setting(600.0, "ours: assumed; of the teacher's answers")
    acceptance: float = setting(0.60, "ours: assumed; share of the teacher's answers that pass, each independently")
    sequences: int = setting(256, "vLLM's default max_num_seqs: responses under way at once")
    test_prompts: int = setting(841, "541 of google/IFEval and 300 of allenai/IFBench_test")
    reserve: float = setting(2e9, "ours: assumed; bytes of CUDA context, workspaces and fragmentation on a GPU")


DEFAULT = Assumptions()


def with_sources(assumptions: Assumptions) -> list[tuple[str, float, str]]:
    """(name, value, source) of each."""
    return [(f.name, getattr(assumptions, f.name), f.metadata["source"]) for f in dataclasses.fields(assumptions)]
