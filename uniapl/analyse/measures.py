"""What responses are like, beside right or wrong: distance to the expert, diversity, entropy; one value per seed."""

import dataclasses
import itertools

import numpy as np
import pandas as pd

from uniapl import stats
from uniapl.analyse.inputs import Inputs, Question, headline
from uniapl.errors import UserError

LENGTH = "response length (words)"
UNDER = "log-probability per token, own vs expert text, under the {}"  # the arm ("self") or the base
QUANTITIES = (LENGTH, UNDER.format("arm"), UNDER.format("base"))
DISTANCES = """arm quantity ks ks_p wasserstein low high wasserstein_low wasserstein_high energy energy_low energy_high
    wilcoxon_p median_difference n_seeds n_responses interval method"""
CELL = ["arm", "quantity"]  # of `pairs`
BOUNDED = ("wasserstein", "energy")  # KS intervals cover too little where distances are small (docs/statistics.md)
RESAMPLES = 1999  # of distances: their intervals are wide beside the error that more would take away
DIVERSITY = "arm quantity estimate low high n_seeds n_responses interval"
VARIED = {  # quantities of `diversity`, and their names in `by_seed`
    "distinct bigrams (%)": "diversity",
    "distinct responses (%)": "distinct_responses",
    "entropy (nats per token)": "entropy",
}
BY_SEED = ["arm", "seed", "quantity", "value", "n"]
EQUAL = "none (seeds do not differ)"
LATE = 0.2  # the share of the steps, the last ones, over which a claim's `distance` is the mean


def pairs(inputs: Inputs) -> pd.DataFrame:
    """One row per arm, seed, key and quantity: the value of the arm's own response and of the expert's.

    Lengths in words; log-probabilities as the mean over a response's tokens (an empty response has none).
    """
    if inputs.expert.empty:  # a world without an expert has no distances to it
        return pd.DataFrame(columns=["arm", "seed", "key", "quantity", "own", "expert"])
    words = headline(inputs, inputs.responses).merge(inputs.expert, "left", "key", validate="m:1")
    if words.response_y.isna().any():
        raise UserError(f"data/expert.jsonl: no response for key {words.key[words.response_y.isna()].iloc[0]}")
    for name, column in (("own", "response_x"), ("expert", "response_y")):
        words[name] = [float(len(text.split())) for text in words[column]]
    scored = headline(inputs, inputs.logprobs)
    scored = scored.assign(value=[np.mean(x, dtype=float) if len(x) else np.nan for x in scored.logprobs])
    means = scored.pivot(index=["arm", "seed", "key", "under"], columns="text", values="value").reset_index()
    means["quantity"] = means.under.map({"self": UNDER.format("arm"), "base": UNDER.format("base")})
    values = pd.concat([words.assign(quantity=LENGTH), means])
    values = values.reindex(columns=["arm", "seed", "key", "quantity", "own", "expert"]).dropna()
    return values.sort_values(["arm", "quantity", "seed", "key"], ignore_index=True)


def distances(
    pairs: pd.DataFrame, plan: Question, rng: np.random.Generator, resamples: int = RESAMPLES
) -> pd.DataFrame:
    """Distances per seed, paired by key, over the keys that all seeds have; the mean over seeds, for p the median.

    low, high: 95 % t interval of the Wasserstein distance over seeds, blank with one seed. wasserstein_low to
    energy_high: the 95 % bootstrap interval over seeds and prompts that `method` names.
    """
    cells, rows, rows_of = list(itertools.product(plan.arms, QUANTITIES)), [], dict(iter(pairs.groupby(CELL)))
    for (arm, quantity), child in zip(cells, rng.spawn(len(cells)), strict=True):
        if (arm, quantity) not in rows_of:
            continue
        of_cell = rows_of[arm, quantity]
        own = of_cell.pivot(index="seed", columns="key", values="own").dropna(axis="columns")
        if own.shape[1] == 0:
            continue
        expert = of_cell.pivot(index="seed", columns="key", values="expert")[own.columns]
        of_seeds = [stats.distance(own.loc[seed], expert.loc[seed]) for seed in own.index]
        table = pd.DataFrame([dataclasses.asdict(d) for d in of_seeds])
        row = table.mean().to_dict() | table[["ks_p", "wilcoxon_p"]].median().to_dict()
        row |= over_seeds(table.wasserstein) | dict(n_responses=own.shape[1])
        rows.append(row | {"arm": arm, "quantity": quantity} | _bounds(own, expert, child, resamples))
    return pd.DataFrame(rows, columns=DISTANCES.split()).sort_values(["arm", "quantity"], ignore_index=True)


def _bounds(own: pd.DataFrame, expert: pd.DataFrame, rng: np.random.Generator, resamples: int) -> dict:
    """Bounds of BOUNDED with their method, from own and expert (K, n): what the expert's text is worth differs by seed
    where the arm itself is asked."""
    intervals = stats.distance_intervals(own, expert, rng=rng, resamples=resamples)
    bounds = {f"{kind}_{side}": getattr(intervals[kind], side) for kind in BOUNDED for side in ("low", "high")}
    return bounds | {"method": intervals["wasserstein"].method}


def by_seed(inputs: Inputs, pairs: pd.DataFrame) -> pd.DataFrame:
    """One row per arm, seed and quantity that is one value per run: value, n (responses behind it, or blank).

    diversity, distinct_responses: distinct word bigrams and distinct responses, in % of all, of the sampled responses
    to the headline benchmark; entropy: mean of -log p of their tokens under the arm, nats; length: Wasserstein
    distance to the expert's, words; auc: the last `probe_auc` of the history; distance: the mean of the history's
    `distance` (expert's minus policy's score) over the last fifth of the steps.
    """
    return _by_seed([*_of_texts(inputs), *_of_rows(pairs, inputs.history)])


def by_seed_again(by_seed: pd.DataFrame, pairs: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """`by_seed` with what follows from pairs and history, length, auc and distance, computed from them again."""
    of_texts = by_seed[by_seed.quantity.isin(VARIED.values())]
    return _by_seed([*of_texts[BY_SEED].itertuples(index=False, name=None), *_of_rows(pairs, history)])


def _by_seed(rows: list[tuple]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=BY_SEED)


def _of_texts(inputs: Inputs) -> list[tuple]:
    """The rows of `by_seed` that need responses and log-probabilities: those of VARIED."""
    rows = []
    for run, of_run in headline(inputs, inputs.responses).groupby(["arm", "seed"]):
        share = stats.distinct_bigrams(of_run.response)
        if share is not None:
            rows.append((*run, "diversity", 100 * share, len(of_run)))
        rows.append((*run, "distinct_responses", 100 * of_run.response.nunique() / len(of_run), len(of_run)))
    logprobs = headline(inputs, inputs.logprobs).sort_values("key")
    for run, of_run in logprobs[(logprobs.text == "own") & (logprobs.under == "self")].groupby(["arm", "seed"]):
        if len(tokens := np.concatenate(list(of_run.logprobs))):
            rows.append((*run, "entropy", -float(np.mean(tokens, dtype=float)), len(of_run)))
    return rows


def _of_rows(pairs: pd.DataFrame, history: pd.DataFrame) -> list[tuple]:
    """The other rows of `by_seed`."""
    rows = []
    for run, of_run in pairs[pairs.quantity == LENGTH].groupby(["arm", "seed"]):
        rows.append((*run, "length", stats.distance(of_run.own, of_run.expert).wasserstein, len(of_run)))
    history = history.reindex(columns=["arm", "seed", "step", "probe_auc", "distance"])
    for run, of_run in history.sort_values("step").groupby(["arm", "seed"]):
        aucs = pd.to_numeric(of_run.probe_auc).dropna()
        late = pd.to_numeric(of_run.distance[of_run.step > (1 - LATE) * of_run.step.max()]).dropna()
        rows += [(*run, "auc", aucs.iloc[-1], None)] if len(aucs) else []
        rows += [(*run, "distance", late.mean(), None)] if len(late) else []
    return rows


def diversity(by_seed: pd.DataFrame, inputs: Inputs) -> pd.DataFrame:
    """Mean over seeds with its t interval; the expert's responses to the same prompts are one set without one.

    Where two or more seeds give one and the same share, Wilson's interval over the responses of one of them.
    """
    rows = []
    for name, quantity in VARIED.items():
        for arm, of_arm in by_seed[by_seed.quantity == quantity].groupby("arm"):
            summary = over_seeds(of_arm.value)
            if name.endswith("(%)") and summary["interval"] == EQUAL:
                summary |= _wilson(summary["estimate"], int(of_arm.n.min()))
            rows.append(dict(arm=arm, quantity=name, n_responses=of_arm.n.min()) | summary)
    expert = headline(inputs, inputs.expert)
    if rows and len(expert):
        alone = dict(arm="expert", n_seeds=1, n_responses=len(expert), interval="none (one set)")
        share, responses = stats.distinct_bigrams(expert.response), expert.response.nunique() / len(expert)
        rows += [alone | dict(quantity=q, estimate=100 * x) for q, x in zip(VARIED, (share, responses), strict=False)]
    return pd.DataFrame(rows, columns=DIVERSITY.split())


def over_seeds(values: pd.Series) -> dict:
    """The mean of one value per seed with its 95 % t interval, which is blank with one seed, or equal ones."""
    low, high = stats.t_interval(values) or (None, None)
    none = "none (one seed)" if len(values) == 1 else EQUAL
    name = none if low is None else "95 % t interval over seeds"
    return dict(estimate=values.mean(), low=low, high=high, n_seeds=len(values), interval=name)


def _wilson(share: float, n: int) -> dict:
    """Bounds of a share in % that every seed has: seeds that agree are one draw of n responses (small.py)."""
    low, high = stats.wilson(n * share / 100, n)
    return dict(low=100 * low, high=100 * high, interval="Wilson interval over responses (seeds do not differ)")
