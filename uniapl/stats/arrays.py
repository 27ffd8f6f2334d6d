"""What every function asks of its arguments."""

import numpy as np
from numpy.typing import ArrayLike

TIE = 1e-12  # differences below this share of the scores' size are rounding, not signal


def array(values: ArrayLike, name: str, ndim: int) -> np.ndarray:
    """`values` as finite float64 of the given rank. Raises ValueError: NaN, wrong rank or no value at all."""
    values_array = np.asarray(values, dtype=float)
    if values_array.ndim != ndim or values_array.size == 0:
        axes = "(n_seeds, n_prompts)" if ndim == 2 else "(n,)"
        raise ValueError(f"{name} must have shape {axes} with at least one value, got {values_array.shape}")
    bad = values_array.size - np.isfinite(values_array).sum()
    if bad:
        raise ValueError(f"{name} has {bad} NaN or infinite of {values_array.size} values: leave missing runs out")
    return values_array


def paired(a: ArrayLike, b: ArrayLike, names: str, ndim: int) -> tuple[np.ndarray, np.ndarray]:
    """Both arrays, checked, with the same number of prompts on their last axis. Raises ValueError."""
    a, b = (array(values, name, ndim) for values, name in zip((a, b), names.split(), strict=True))
    if a.shape[-1] != b.shape[-1]:
        raise ValueError(f"{names} are paired by prompt, but have {a.shape[-1]} and {b.shape[-1]} prompts")
    return a, b


def settings(level: float, resamples: int) -> None:
    """Raises ValueError for a level outside (0, 1) or no resample."""
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level}")
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, got {resamples}")
