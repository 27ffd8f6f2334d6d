"""The hierarchical resampling that `compare` and `interval` share: prompts with replacement, seeds by Student's t.

A mean over K seeds and n prompts errs for two reasons: its prompts, of which there are hundreds, and its seeds, of
which there are few. Drawing 3 or 5 seeds with replacement understates the second part by (K - 1) / K and knows no
Student's t, so that it covers 83 % instead of 95 % where seeds differ (docs/statistics.md). Here a resample is

    x* = x + sqrt(c) (mean over drawn prompts - x) + t_df sqrt(v)         v = s^2 / K, s: sd of the K seeds' means

v holds all that a seed brings: its training and its noise on n prompts, r / (K n), r being the residual mean square of
the seed x prompt table. Prompt means carry this noise too, so it is taken out of their part: c is the share of the
variance of the mean over prompts that is not noise, 1 - r / (K n) / (s_prompts^2 / n), at least 0. With one seed v = 0
and c = 1: the plain bootstrap over prompts. Where prompts answer alike for both arms it is Welch's t. Of the
generalised pivots of Weerahandi 1993, with the prompts' part resampled instead of normal.

All arrays may have leading axes (worlds of a simulation).
"""

import numpy as np

ONE_SEED = "bootstrap over prompts (one seed: its variance is not included)"
BLOCK = 32  # resamples at once: their counts fit the cache, their product is too small for BLAS threads


def seed_variance(x: np.ndarray) -> np.ndarray:
    """(..., K, n) -> (...): v = s^2 / K, the variance of the mean over seeds; 0 with one seed."""
    seeds = x.shape[-2]
    return x.mean(axis=-1).var(axis=-1, ddof=1) / seeds if seeds > 1 else np.zeros(x.shape[:-2])


def residual(x: np.ndarray) -> np.ndarray:
    """(..., K, n) -> (...): mean square of x - row mean - column mean + mean; 0 with one seed or one prompt."""
    seeds, n = x.shape[-2:]
    if min(seeds, n) == 1:
        return np.zeros(x.shape[:-2])
    residuals = x - x.mean(axis=-1, keepdims=True)
    residuals -= residuals.mean(axis=-2, keepdims=True)
    return (residuals**2).sum(axis=(-2, -1)) / ((seeds - 1) * (n - 1))


def prompt_variance(means: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of prompts' means (..., n) and the noise (...) of their mean: the variance of the mean beyond noise, and c."""
    n = means.shape[-1]
    whole = means.var(axis=-1, ddof=1) / n if n > 1 else np.zeros(means.shape[:-1])
    beyond = np.maximum(0, whole - noise)
    return beyond, np.divide(beyond, whole, out=np.zeros_like(whole), where=whole > 0)


def welch(v_a: np.ndarray, v_b: np.ndarray, seeds_a: int, seeds_b: int) -> tuple[np.ndarray, np.ndarray]:
    """(variance, df) of the difference of two means over seeds; an arm of one seed adds nothing. df = 1 where v = 0."""
    v = v_a + v_b
    spread = sum(x**2 / (seeds - 1) for x, seeds in ((v_a, seeds_a), (v_b, seeds_b)) if seeds > 1)
    return v, np.divide(v**2, spread, out=np.ones_like(v), where=v > 0)


def draws(
    prompts: np.ndarray, share: np.ndarray, v: np.ndarray, df: np.ndarray, resamples: int, rng: np.random.Generator
) -> np.ndarray:
    """(R, W): x* for W means of `prompts` (W, n), whose prompts are drawn alike; share, v and df are (W,)."""
    x = prompts.mean(axis=1)
    prompt_means = resampled_sums(prompts, resamples, rng) / prompts.shape[1]
    return x + np.sqrt(share) * (prompt_means - x) + np.sqrt(v) * rng.standard_t(df, prompt_means.shape)


def counts(units: int, rows: int, rng: np.random.Generator) -> np.ndarray:
    """(rows, units): how often each unit occurs in a row's draw of `units` units with replacement."""
    units_drawn = rng.integers(0, units, (rows, units))
    units_drawn += units * np.arange(rows)[:, None]  # row r counts in its own range of bins
    return np.bincount(units_drawn.ravel(), minlength=rows * units).reshape(rows, units).astype(float)


def resampled_sums(rows: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """(R, rows): the sum of each row of (rows, n) over prompts drawn with replacement, alike for all rows."""
    sums = np.empty((resamples, len(rows)))
    for start in range(0, resamples, BLOCK):
        block = sums[start : start + BLOCK]
        block[:] = counts(rows.shape[1], len(block), rng) @ rows.T
    return sums


def method(fewest: int, most: int) -> str:
    """The words of a caption for the arms with fewest and most seeds."""
    name = "hierarchical bootstrap over seeds and prompts, seeds by Student's t"
    if most == 1:
        return ONE_SEED
    if fewest == 1:
        return f"{name} (one arm has one seed: its variance is not included)"
    return name
