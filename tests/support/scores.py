"""Made scores, and the generator of a test."""

import numpy as np


def generator(seed=0):
    return np.random.default_rng(seed)


def runs(rates, n=60, seed=1):
    """0/1 scores (seeds, n), one seed per pass rate."""
    return (generator(seed).random((len(rates), n)) < np.array(rates)[:, None]).astype(float)
