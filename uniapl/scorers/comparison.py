"""How two score frames of the same prompts differ, paired by prompt. Pure.

    prompt_strict, prompt_loose       every instruction of the prompt is followed
    fraction_strict, fraction_loose   the share of the prompt's instructions that are followed

For prompts, which are followed or not, the table of wins and losses (both, only_a, only_b, neither) and the exact
McNemar test; for shares, which are not 0 or 1, the larger p of the bootstrap and, where at most 20 prompts differ, of
flipped signs. Differences are A - B, as fractions, with the 95 % interval of a bootstrap over prompts, no narrower than
exact bounds where prompts are few or few differ (uniapl/stats/small.py), and the difference that these prompts would
show with 80 % power. Of Multi-IF the conversation takes the prompt's place. One
run of each: what another training or another draw would give is not in the interval.
"""

import json

import numpy as np
import pandas as pd

from uniapl import stats
from uniapl.errors import UserError
from uniapl.tables import View, markdown

COUNTS = ["both", "only_a", "only_b", "neither"]
COLUMNS = ["metric", "n_prompts", *COUNTS, "a", "b", "difference", "low", "high", "p", "test", "detectable", "method"]


def paired(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """Per prompt the share of its instructions that are followed: columns strict_a, loose_a, strict_b, loose_b.

    Raises UserError where the two frames are not of the same instructions of the same prompts.
    """
    place = [name for name in ("key", "turn", "index") if name in a and name in b]
    first, second = (frame.sort_values(place, ignore_index=True) for frame in (a, b))
    same = [*place, "instruction_id"]
    if not first[same].equals(second[same]):
        counts = [frame["key"].nunique() for frame in (a, b)]
        raise UserError(f"the scores are of different prompts ({counts[0]} and {counts[1]}): score both on one file")
    means = [frame.groupby("key")[["strict", "loose"]].mean() for frame in (first, second)]
    return means[0].join(means[1], lsuffix="_a", rsuffix="_b")


def _bounds(a: np.ndarray, b: np.ndarray, level: float) -> dict:
    """Difference of the means with its interval and the detectable difference."""
    result = stats.compare(a[None], b[None], rng=np.random.default_rng(0), level=level)
    row = {"a": float(a.mean()), "b": float(b.mean()), "difference": result.estimate, "low": result.low}
    row |= {"high": result.high, "p": result.p, "test": "bootstrap, sign flips", "detectable": result.detectable}
    return row | {"method": result.method.replace(stats.ONE_SEED, "bootstrap over prompts")}


def _wins(a: np.ndarray, b: np.ndarray) -> dict:
    """The table of wins and losses of 0/1 scores, with the exact McNemar test."""
    test = stats.mcnemar(a, b)
    counts = {"both": int((a * b).sum()), "only_a": test.only_a, "only_b": test.only_b}
    return {**counts, "neither": len(a) - sum(counts.values()), "p": test.p, "test": "exact McNemar"}


def compare(a: pd.DataFrame, b: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """A row (see COLUMNS) per metric for two score frames. Raises UserError like `paired`."""
    shares, rows = paired(a, b), []
    for rule in ("strict", "loose"):
        of_a, of_b = (shares[f"{rule}_{side}"].to_numpy() for side in "ab")
        whole = [(share == 1).astype(float) for share in (of_a, of_b)]
        rows.append({"metric": f"prompt_{rule}", **_bounds(*whole, level), **_wins(*whole)})
        rows.append({"metric": f"fraction_{rule}", **_bounds(of_a, of_b, level)})
    frame = pd.DataFrame(rows).assign(n_prompts=len(shares)).sort_values("metric", ascending=False)[COLUMNS]
    return frame.astype(dict.fromkeys(COUNTS, "Int64")).reset_index(drop=True)


def _points(x: float | None) -> str:
    return "" if pd.isna(x) else f"{100 * x:.1f}"


def _markdown(frame: pd.DataFrame, a: str, b: str) -> str:
    """The comparison for readers: points, and counts where prompts are counted."""
    lines = []
    for row in frame.to_dict("records"):
        counts = ["" if pd.isna(row[name]) else str(row[name]) for name in COUNTS]
        interval = f"{_points(row['difference'])} [{_points(row['low'])}, {_points(row['high'])}]"
        detectable = "> 100" if row["detectable"] > 1 else _points(row["detectable"])  # too few prompts to find any
        shares = [_points(row["a"]), _points(row["b"]), interval, f"{row['p']:.3g}", detectable]
        lines.append([row["metric"].replace("_", " "), *counts, *shares])
    head = "metric|both|only A|only B|neither|A (%)|B (%)|A - B (points)|p|detectable (points)".split("|")
    caption = (
        f"A: {a}. B: {b}. n = {frame['n_prompts'].iloc[0]} prompts, one run of each. 95 % interval: "
        f"{'; '.join(frame['method'].unique())}. p: exact McNemar for prompts, bootstrap and sign flips for fractions; "
        "two-sided, not adjusted for the number of metrics. Detectable: the difference found with 80 % power."
    )
    return markdown(View(caption, head, lines)).rstrip("\n")


def render(frame: pd.DataFrame, form: str, a: str, b: str) -> str:
    """The comparison of the files `a` and `b` as text: one JSON object, CSV or Markdown."""
    if form == "json":
        rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
        return json.dumps({"a": a, "b": b, "comparison": rows})
    return frame.to_csv(index=False).rstrip("\n") if form == "csv" else _markdown(frame, a, b)
