"""UniAPLTrainer's options: the weights of the objective, their ranges, and what of TRL's own it must have as it is."""

from dataclasses import dataclass

from trl import GRPOConfig

REQUIRED = {  # option: the only value under which the sum of the three terms is the stated objective
    "beta": 0.0,  # KL would enter twice, once per surrogate
    "entropy_coef": 0.0,  # so would the entropy bonus
    "use_adaptive_entropy": False,
    "temperature": 1.0,  # TRL's head divides logits by it, the demonstrations' too
    "disable_dropout": True,  # the demonstrations' forward pass would draw random numbers
    "top_entropy_quantile": 1.0,  # would mask the surrogates but not the demonstrations
    "use_liger_kernel": False,
    "cast_lm_head_to_fp32": False,
}
RANGES = {  # option: lowest and highest value
    "w_pref": (0, float("inf")),
    "w_demo": (0, float("inf")),
    "lam": (0, float("inf")),
    "lam_step": (0, float("inf")),
    "lam_penalty": (0, float("inf")),
    "eps": (float("-inf"), float("inf")),
    "distance_decay": (0, 1 - 1e-9),
    "mu_peak": (0, 1),
    "mu_valley": (0, 1),
    "mu_warmup": (0, float("inf")),
    "mu_decay": (0, float("inf")),
    "phi": (0, float("inf")),
    "adversarial_clip": (0, float("inf")),
    "demonstrations_per_step": (1, float("inf")),
    "max_demonstration_length": (1, float("inf")),
    "num_generations": (2, float("inf")),  # a group of 1 has no advantage
    "max_completion_length": (1, float("inf")),
}


@dataclass
class UniAPLConfig(GRPOConfig):
    """GRPOConfig and the weights of the objective (uniapl/method/objective.py has the equations).

    `lam` is lambda; with `lam_step` > 0 it is the start of the dual variable of d <= `eps`, where d is the running
    mean of the distance, and `lam_penalty` > 0 damps it. `adversarial_ddof` and `adversarial_clip` normalise the
    discriminator's score; `phi` = 1 weighs demonstration tokens by CHORD's p(1-p). `demonstrations_per_step` counts
    rows per optimizer step, over all processes and micro-batches; with `own_prompts` a step learns the demonstrations
    of its own prompts instead. `max_demonstration_length` is in response tokens; None cuts none.
    """

    w_pref: float = 1.0
    w_demo: float = 1.0
    mu_peak: float = 0.0
    mu_valley: float = 0.0
    mu_warmup: int = 0
    mu_decay: int = 0
    phi: float = 0.0
    lam: float = 0.0
    lam_step: float = 0.0
    lam_penalty: float = 0.0
    eps: float = 0.0
    distance_decay: float = 0.9
    adversarial_ddof: int | None = 1
    adversarial_clip: float = float("inf")
    demonstrations_per_step: int = 16
    own_prompts: bool = False
    max_demonstration_length: int | None = None
    disable_dropout: bool = True


def check_options(args: UniAPLConfig) -> None:
    """Raise ValueError for an option out of its range, or one that the added terms would not honour."""
    for name, value in REQUIRED.items():
        if getattr(args, name) != value:
            raise ValueError(f"UniAPLTrainer needs {name}={value!r}, got {getattr(args, name)!r}")
    for name, (low, high) in RANGES.items():
        value = getattr(args, name)
        if not (value is None and name == "max_demonstration_length") and not low <= value <= high:
            raise ValueError(f"UniAPLTrainer needs {name} in [{low}, {high}], got {getattr(args, name)!r}")
    if args.adversarial_ddof not in (0, 1, None):
        raise ValueError(f"UniAPLTrainer needs adversarial_ddof 0, 1 or None, got {args.adversarial_ddof!r}")
