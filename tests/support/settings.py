"""Settings of one method alone, for tests that build it without a scale."""

import dataclasses

from uniapl.config import Evaluation, Method, Settings

PER_SCALE = {  # what every scale states
    "steps": 100,
    "learning_rate": 1e-3,
    "warmup": 10,
    "rows_per_step": 32,
    "prompts_per_step": 16,
    "max_new_tokens": 48,
    "demonstrations_per_step": 48,
    "mu_decay": 60,
    "discriminator": "miniature",
    "pairs_per_step": 32,
    "response_tokens": 56,
    "model": "qwen/none",
    "context": 4096,
}
EVALUATION = Evaluation(max_new_tokens=48, batch=256, probe_prompts=64)


def per_scale(method: Method) -> dict:
    """A value for every setting that the method has no default for."""
    required = [field.name for field in dataclasses.fields(method.Settings) if field.default is dataclasses.MISSING]
    return {name: PER_SCALE[name] for name in required}


def settings(method: Method, **changes) -> Settings:
    """The method's settings with these changes."""
    return method.Settings(**{**per_scale(method), **changes})
