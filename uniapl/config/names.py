"""Names that stages share: tables of an experiment, arms of the general benchmarks, where published sets are."""

TABLES = ("main", "comparisons", "claims", "distances", "diversity", "cost")
TABLES += ("transfer", "aggregate", "nearer", "type_comparisons")
MAIN = "analyse/*/main.csv"  # of a set of results: what its figures wait for
GENERAL = ("base", "uniapl")  # the arms whose first seed the general benchmarks are asked of
PUBLISHED_SET = "results/published/{scale}/manifest.json"  # where it exists, local results are shown beside it
