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


@dataclass(frozen=True)
class OnCpu:
    """The same of scale small on a CPU, whose rates are measured (uniapl/costs/rates.py). Tokens are SmolLM2's."""

    prompt_tokens: float = setting(71.2, "measured: mean of the scale's training prompts, chat template included")
    asked_tokens: float = setting(84.8, "measured: mean of its test prompts")
    longest_prompt: int = setting(112, "measured: its longest training or validation prompt")
    longest_asked: int = setting(757, "measured: its longest test prompt")
    median: float = setting(
        580.0,
        "fitted to 24 sampled answers of the base, to training and test prompts, 13 of them cut at 512 tokens; trained "
        "policies are taken to write as much: an upper estimate where they learn to be brief",
    )
    spread: float = setting(2.25, "the same fit, of a log-normal: standard deviation of the logarithm of the tokens")
    accepted: float = setting(0.05, "measured: 10 of the base's first 192 answers to training prompts at T = 1")
    idle: float = setting(0.0625, "ours: half of LEAVE (uniapl/models/sampler.py); share of a batch that has ended")
    step_seconds: float = setting(5.0, "docs/small.md: 131 s of a GRPO step without rollouts and pass")
    start_seconds: float = setting(30.0, "ours: assumed; per job: imports, loading, saving")
    published: tuple[int, int, int] = setting(
        (415, 126, 300), "docs/small_teacher.md: prompts of trained, held_out_types and new_types"
    )
    questions: int = setting(1_400, "uniapl/generate/tasks/reasoning.jsonl: questions of suite everyday")
    question_tokens: float = setting(55.7, "measured: mean, chat template included")
    suite_limit: int = setting(64, "uniapl/generate/tasks/uniapl_reasoning.yaml: tokens of an answer")
    suite_batch: int = setting(64, "uniapl/generate/suite.py")
    texts_tokens: int = setting(40_012, "measured: tokens of the texts of suite everyday, whose perplexity counts")
    reserve: float = setting(1.5e9, "ours: assumed; bytes of libraries and of the allocator's fragments")


ON_CPU = OnCpu()


def with_sources(assumptions: Assumptions | OnCpu) -> list[tuple[str, float, str]]:
    """(name, value, source) of each."""
    return [(f.name, getattr(assumptions, f.name), f.metadata["source"]) for f in dataclasses.fields(assumptions)]
