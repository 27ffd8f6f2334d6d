"""Statistics of paired scores: pure functions on NumPy arrays, every random one with an explicit generator.

Shapes: K seeds (independent trainings of one arm), n prompts (the same for both arms), R bootstrap resamples.
A score matrix is (K, n). Estimates and intervals are in the units of the scores (0/1 scores give
proportions); percent and points belong to the caller. docs/statistics.md has the formulas and the error rates.
"""

from uniapl.stats.aggregate import Aggregate, iqm, probability_of_improvement
from uniapl.stats.bootstrap import ONE_SEED
from uniapl.stats.comparison import Comparison, compare, differences
from uniapl.stats.distances import (
    Distance,
    DistanceDifference,
    distance,
    distance_difference,
    distance_intervals,
)
from uniapl.stats.diversity import distinct_bigrams
from uniapl.stats.intervals import Interval, interval, t_interval, t_test
from uniapl.stats.multiplicity import benjamini_hochberg, holm
from uniapl.stats.planning import (
    MOST_SEEDS,
    POWER,
    Components,
    components,
    detectable,
    detectable_of_values,
    power,
    seeds_needed,
    seeds_of_values,
)
from uniapl.stats.rerun import Prediction, predict_difference, predict_mean, predict_values
from uniapl.stats.runs import McNemar, mcnemar, tost
from uniapl.stats.small import sign_flip, wilson

__all__ = [
    "MOST_SEEDS",
    "ONE_SEED",
    "POWER",
    "Aggregate",
    "Comparison",
    "Components",
    "Distance",
    "DistanceDifference",
    "Interval",
    "McNemar",
    "Prediction",
    "benjamini_hochberg",
    "compare",
    "components",
    "detectable",
    "detectable_of_values",
    "differences",
    "distance",
    "distance_difference",
    "distance_intervals",
    "distinct_bigrams",
    "holm",
    "interval",
    "iqm",
    "mcnemar",
    "power",
    "predict_difference",
    "predict_mean",
    "predict_values",
    "probability_of_improvement",
    "seeds_needed",
    "seeds_of_values",
    "sign_flip",
    "t_interval",
    "t_test",
    "tost",
    "wilson",
]
