"""Names that stages share: tables of an experiment, benchmarks, arms of the general ones, where published sets are."""

TABLES = ("main", "summary", "comparisons", "claims", "distances", "diversity", "cost")
TABLES += ("transfer", "aggregate", "nearer", "type_comparisons")
BENCHMARKS = {  # as they are printed
    "trained": "trained types",
    "held_out_types": "held-out types",
    "new_types": "new types",
    "new_topics": "new topics",
}
MAIN = "analyse/*/main.csv"  # of a set of results: what its figures wait for
GENERAL = ("base", "uniapl")  # the arms that general benchmarks are asked of, unless a scale names its own
PUBLISHED_SET = "results/published/{scale}/manifest.json"  # where it exists, local results are shown beside it
