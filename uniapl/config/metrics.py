"""The metrics that every method may log: columns of history.csv. A method's own are its METRICS (method.py).

Which become curves: those of TRAINERS and PROBE, and every method's own. What depends on the machine, or is drawn from
the curves' own prompts by the probe already, does not.
"""

from collections.abc import Iterable, Mapping

TRAINERS: Mapping[str, str] = {
    "loss": "the loss",
    "reward": "mean verifiable reward of the step's rollouts, without what shapes it",
    "zero_variance": "share of groups whose rollouts all earn the same reward",
}
PROBE: Mapping[str, str] = {  # uniapl/train/probe.py
    "probe_reward": "share of the probe's prompts that a sampled response follows",
    "probe_kl": "KL divergence to the base, nats per token",
    "probe_entropy": "mean of -log p of the sampled tokens, nats",
    "probe_score": "mean score of the responses under the frozen discriminator",
    "probe_auc": "how often the frozen discriminator ranks the expert's response above the policy's",
    "probe_length": "mean length of the responses, tokens",
}
OFF_CURVES: Mapping[str, str] = {
    "entropy": "mean entropy over response tokens of the step, nats",
    "grad_norm": "norm of the gradient before clipping",
    "learning_rate": "the learning rate",
    "length": "mean length of the step's rollouts, tokens",
    "clipped": "share of the step's rollouts that reached the limit of tokens",
    "sampler_difference": "mean |log p of vLLM or the engine - log p of the trainer| of sampled tokens, nats",
    "sampler_difference_max": "the largest of these",
    "sampler_ratio_min": "smallest importance ratio of trainer over sampler, after the correction",
    "sampler_ratio": "mean of these ratios",
    "sampler_ratio_max": "largest of these ratios",
    "accuracy": "of a reward model: share of pairs ranked right",
    "score": "mean score of the step's rollouts under the method's discriminator",
    "demonstration_rows": "rows of demonstrations that the step learned",
    "rollouts": "rollouts that the step sampled",
    "tokens_generated": "sampled response tokens",
    "tokens_trained": "prompt and response tokens in the loss",
    "seconds": "wall time of the step",
    "peak_memory_mb": "highest memory so far, MiB",
}
SHARED: Mapping[str, str] = {**TRAINERS, **PROBE, **OFF_CURVES}


def curve_names(columns: Iterable[str]) -> list[str]:
    """Those of a history's columns that are training curves."""
    return [name for name in columns if name not in OFF_CURVES]
