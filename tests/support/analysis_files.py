"""The CSV files of one analysis, as the stage analyse writes them: a few rows of each table."""

import pandas as pd

from uniapl.analyse import accuracy, aggregate, by_type, coverage, nearer, summary, transfer

BOTH = "hierarchical bootstrap over seeds and prompts"
MAIN = [
    # arm, benchmark, decoding, metric, estimate, low, high, predict_low, predict_high, n_seeds, n_prompts, method
    ("base", "trained", "greedy", "prompt_strict", 28.125, 20.0, 36.04, None, None, 1, 128, "bootstrap over prompts"),
    ("base", "new_types", "greedy", "prompt_strict", 0.0, 0.0, 5.66, None, None, 1, 64, "bootstrap over prompts"),
    ("grpo", "trained", "greedy", "prompt_strict", 46.4876, 40.1, 52.96, 38.04, 54.94, 5, 128, BOTH),
    ("grpo", "trained", "sampled", "prompt_strict", 41.11, 39.9, 42.2, 39.5, 42.7, 5, 128, BOTH),
    ("grpo", "trained", "greedy", "inst_loose", 77.77, 70.7, 80.8, 70.0, 85.5, 5, 128, BOTH),
]
COMPARISON = dict(
    arm="sft_then_grpo", against="grpo", benchmark="trained", metric="prompt_strict", decoding="greedy"
) | dict(difference=5.449, low=-1.26, high=12.2, seed_low=1.0, seed_high=9.9, p=0.0514, p_holm=0.1028)
COMPARISON |= dict(p_seeds=0.0213, mcnemar_p=0.0778, effect=0.1149, detectable=9.87, n_seeds=5, n_seeds_against=4)
COMPARISON |= dict(predict_low=-2.5, predict_high=13.4)
COMPARISON |= dict(n_prompts=128, family="prompt_strict, greedy, trained: 2 comparisons", method=BOTH)
WORSE = dict(arm="a&b%c", difference=-12.04, low=-20.0, high=-0.04, p=0.0002, p_holm=0.0004, detectable=8.8)
ALONE = dict(arm="base", n_seeds=1, seed_low=None, seed_high=None, predict_low=None, predict_high=None)
ALONE |= dict(p_seeds=None, p_holm=0.0496, detectable=7.7)
DISTANCES = [
    ("grpo", "response length (words)", 0.41234, 1e-9, 12.3456, 11.0, 13.5, 10.25, 14.4, 1.2344, 1.1, 1.3)
    + (3.1e-12, -8.25, 5, 128, "t", BOTH),
    ("base", "response length (words)", 0.5, 0.01, 20.0, None, None, 0.0, 22.5, 2.0, 1.75, 2.25)
    + (0.02, 0.0004, 1, 128, "none (one seed)", "bootstrap over prompts"),
]
DIVERSITY = [
    ("grpo", "distinct bigrams (%)", 32.136, 29.586, 34.686, 5, 384, "t"),
    ("grpo", "entropy (nats per token)", 1.36108, 1.2693, 1.4528, 5, 384, "t"),
    ("base", "distinct bigrams (%)", 34.815, None, None, 1, 384, "none (one seed)"),
    ("expert", "distinct bigrams (%)", 22.69, None, None, 1, 384, "none (one set)"),
]
CLAIM = dict(id="C1", sentence="UniAPL beats GRPO.", source="ours", quantity="accuracy", benchmark="trained")
CLAIM |= dict(arm="uniapl", against="grpo", direction="above", margin=0.0, estimate=13.802, low=7.341, high=20.469)
CLAIM |= dict(seed_low=6.4013, seed_high=21.2, detectable=10.5786, n_seeds=5, n_prompts=384, verdict="supported")
CLAIM |= dict(reason="both intervals above 0", p=0.0042, p_holm=0.0084, family="of the experiment: 2 claims")
NOTHING = "benchmark against estimate low high seed_low seed_high detectable p p_holm n_prompts"
NOTHING = dict.fromkeys(NOTHING.split())
UNKNOWN = NOTHING | dict(
    id="C2", quantity="distance", n_seeds=2, verdict="not decided", reason="2 of 3 seeds of uniapl"
)
COST = [
    ("grpo", 100, 0, 19200.4, 1234567.6, 1.5e6, 63.27, 812.4, 1.25, 5),
    ("sft", 150, 4800, 0, 0, 99, 5, None, None, 5),
]
TRANSFER = [
    (
        "base",
        "trained",
        "greedy",
        28.125,
        20.0,
        36.04,
        None,
        None,
        None,
        None,
        None,
        None,
        1,
        None,
        128,
        "over prompts",
    ),
    ("grpo", "trained", "greedy", 46.4876, 40.1, 52.96, "base", 18.36, 9.5, 27.2, 0.0002, 0.0004, 5, 1, 128, BOTH),
    ("grpo", "new_types", "greedy", 0.5, 0.0, 5.66, "base", 0.5, -1.0, 2.04, 0.5, 0.5, 5, 1, 64, BOTH),
]
SUMMARY = [
    ("base", "trained", "greedy", 28.125, 20.0, 36.04, *[None] * 5, "new_types", 0.0, 0.0, 5.66, *[None] * 3, 64)
    + (*[None] * 5, 1, 128),
    ("grpo", "trained", "greedy", 46.4876, 40.1, 52.96, "sft_then_grpo", -5.449, -12.2, 1.26, 0.1028, "new_types")
    + (0.5, 0.0, 5.66, 0.5, -1.0, 2.04, 64, 1234567.6, 1.5e6, 63.27, "not decided", "contradicted", 5, 128),
]
AGGREGATE = [
    ("base", None, "interquartile mean (%)", 20.0, None, None, 1, 3, "bootstrap over seeds (one seed)"),
    ("grpo", None, "interquartile mean (%)", 41.26, 39.0, 44.0, 5, 3, "bootstrap over seeds within benchmarks"),
    ("sft", None, "interquartile mean (%)", 40.0, 38.0, 42.0, 5, 3, "bootstrap over seeds within benchmarks"),
    ("sft", "grpo", "probability of improvement (%)", 71.5, 55.0, 88.0, 5, 3, "bootstrap over seeds within benchmarks"),
]
NEARER = [("response length (words)", "sft", "grpo", -3.2729, -6.1, -0.39, 0.03, 0.04, 5, 5, 384, BOTH)]
TYPES = [("sft", "grpo", "keywords:existence", 12.34, -1.5, 26.0, 0.08, 0.16, 5, 5, 60, BOTH)]
RUNS = [("base", False, 1, 1, "0", None)]
RUNS += [(arm, arm == "grpo", 5, 5, "0, 1, 2, 3, 4", None) for arm in ("grpo", "sft")]


def write(folder):
    """All of them, in a folder that exists."""
    frames = {"main": pd.DataFrame(MAIN, columns=[*accuracy.CELL, *accuracy.FOUND])}
    frames["comparisons"] = pd.DataFrame([COMPARISON, COMPARISON | WORSE, COMPARISON | ALONE])
    head = """arm quantity ks ks_p wasserstein low high wasserstein_low wasserstein_high energy energy_low energy_high
        wilcoxon_p median_difference n_seeds n_responses interval method"""
    frames["distances"] = pd.DataFrame(DISTANCES, columns=head.split())
    head = "arm quantity estimate low high n_seeds n_responses interval"
    frames["diversity"] = pd.DataFrame(DIVERSITY, columns=head.split())
    frames["claims"] = pd.DataFrame([CLAIM, CLAIM | UNKNOWN])
    head = "arm optimizer_steps demonstration_rows rollouts tokens_generated tokens_trained seconds"
    frames["cost"] = pd.DataFrame(COST, columns=[*head.split(), "peak_memory_mb", "energy_wh", "n_seeds"])
    for name, rows, columns in (
        ("transfer", TRANSFER, transfer.COLUMNS),
        ("aggregate", AGGREGATE, aggregate.COLUMNS),
        ("nearer", NEARER, nearer.COLUMNS),
        ("type_comparisons", TYPES, by_type.COMPARED),
        ("runs", RUNS, coverage.COLUMNS),
        ("summary", SUMMARY, " ".join(summary.COLUMNS)),
    ):
        frames[name] = pd.DataFrame(rows, columns=columns.split())
    for name, frame in frames.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
