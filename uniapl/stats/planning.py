"""Variance components of a comparison, and what they say of another number of seeds or prompts.

Scores of an arm: x_kj = mean + prompt_j + (arm x prompt)_j + seed_k + noise_kj. The difference of two arms over n
prompts and K seeds each, with its variance and the half-width h of its interval:

    V_p = interaction / n                                     prompts on which one arm is better than elsewhere
    V_s = sum over arms of (seed + residual / n) / K          trainings, and their noise on each prompt
    h   = sqrt(z^2 V_p + t_df^2 V_s),  z, t at (1 + level) / 2,  df: Welch's
    power(d) = Phi((|d| - h) / sqrt(V_p + V_s))               normal; h taken as known
    detectable = h + z_power sqrt(V_p + V_s)                  its inverse

With many seeds this is Miller 2024 (arXiv 2411.00640), (z_{(1+level)/2} + z_power) sqrt(V_p + V_s).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats  # special: the quantiles of stats.t and stats.norm, in a hundredth of the time

from uniapl.stats import bootstrap
from uniapl.stats.arrays import paired, settings

MOST_SEEDS = 100  # that are worth asking for
POWER = 0.8  # of `detectable`; the convention of Miller 2024


@dataclass(frozen=True)
class Components:
    """Variances, in squared units of the scores. Those of an arm with one seed are 0: its noise is in `interaction`."""

    interaction: float  # of the true difference between the arms, over prompts
    seed_a: float  # of an arm's true mean, over seeds
    seed_b: float
    residual_a: float  # seed x prompt, with the chance of each response
    residual_b: float


def components(a: ArrayLike, b: ArrayLike) -> Components:
    """Unbiased estimates from the mean squares of (K_a, n) and (K_b, n), set to 0 where they are negative.

    seed = s^2 - residual / n; interaction = n var(per-prompt differences) / n - sum of residual / K, as in a two-way
    random-effects layout. Raises ValueError like `compare`.
    """
    a, b = paired(a, b, "a b", 2)
    n, rests = a.shape[1], [float(bootstrap.residual(x)) for x in (a, b)]
    seeds = [max(0.0, float(len(x) * bootstrap.seed_variance(x)) - r / n) for x, r in zip((a, b), rests, strict=True)]
    noise = np.asarray(rests[0] / (len(a) * n) + rests[1] / (len(b) * n))
    beyond, _ = bootstrap.prompt_variance(a.mean(axis=0) - b.mean(axis=0), noise)
    return Components(float(n * beyond), *seeds, *rests)


def _spread(c: Components, n_prompts: int, n_seeds_a: int, n_seeds_b: int, level: float) -> tuple[float, float]:
    """(h, sqrt(V_p + V_s)). Raises ValueError for one seed of an arm whose seeds vary."""
    settings(level, 1)
    if n_prompts < 1 or min(n_seeds_a, n_seeds_b) < 1:
        raise ValueError(f"a plan needs prompts and seeds, got {n_prompts} prompts, {n_seeds_a} and {n_seeds_b} seeds")
    arms = ((c.seed_a + c.residual_a / n_prompts, n_seeds_a), (c.seed_b + c.residual_b / n_prompts, n_seeds_b))
    if any(variance > 0 and seeds < 2 for variance, seeds in arms):
        raise ValueError("an arm whose seeds differ needs 2 or more of them: one seed says nothing of the next")
    v, df = bootstrap.welch(*(np.asarray(variance / seeds) for variance, seeds in arms), n_seeds_a, n_seeds_b)
    of_prompts, q = c.interaction / n_prompts, (1 + level) / 2
    h = np.sqrt(special.ndtri(q) ** 2 * of_prompts + special.stdtrit(df, q) ** 2 * v)
    return float(h), float(np.sqrt(of_prompts + v))


def power(
    c: Components, difference: float, n_prompts: int, n_seeds_a: int, n_seeds_b: int, *, level: float = 0.95
) -> float:
    """The chance that the interval of a true difference lies wholly on its side of 0. Raises ValueError: one seed."""
    h, se = _spread(c, n_prompts, n_seeds_a, n_seeds_b, level)
    return float(stats.norm.cdf((abs(difference) - h) / se)) if se > 0 else float(difference != 0)


def detectable(
    c: Components, n_prompts: int, n_seeds_a: int, n_seeds_b: int, *, level: float = 0.95, power: float = POWER
) -> float:
    """The least true difference found with this power, in the units of the scores. Raises ValueError: one seed."""
    h, se = _spread(c, n_prompts, n_seeds_a, n_seeds_b, level)
    return float(h + special.ndtri(power) * se)


def seeds_needed(c: Components, difference: float, n_prompts: int, *, shared: bool = False) -> float:
    """The fewest seeds per arm at which a true difference of this size is `detectable`; inf: MOST_SEEDS do not do.

    `shared`: arm B is one checkpoint, and only arm A gets more seeds. Components of two or more seeds.
    """
    enough = (k for k in range(2, MOST_SEEDS + 1) if detectable(c, n_prompts, k, 1 if shared else k) <= abs(difference))
    return next(enough, np.inf)


def detectable_of_values(sd: float, n_seeds: int, *, level: float = 0.95, power: float = POWER) -> float:
    """As `detectable`, for one value per seed with this standard deviation and the t interval over seeds.

    (t_{(1+level)/2, K-1} + z_power) sd / sqrt(K), K the number of seeds, 2 or more.
    """
    return float((special.stdtrit(n_seeds - 1, (1 + level) / 2) + special.ndtri(power)) * sd / np.sqrt(n_seeds))


def seeds_of_values(sd: float, difference: float, *, level: float = 0.95, power: float = POWER) -> float:
    """The fewest seeds of which a difference of this size is `detectable_of_values`; inf: MOST_SEEDS do not do."""
    found = (detectable_of_values(sd, k, level=level, power=power) for k in range(2, MOST_SEEDS + 1))
    return next((k for k, least in enumerate(found, 2) if least <= abs(difference)), np.inf)
