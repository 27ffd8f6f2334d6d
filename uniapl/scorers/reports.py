"""The report on a score frame: every figure with its interval, over all prompts, by category and by type. Pure.

    prompt_strict, prompt_loose   share of prompts of which every instruction is followed
    inst_strict, inst_loose       share of instructions that are followed
    reward                        mean all-or-nothing reward: prompt_strict under the name that training uses
    fraction                      mean over prompts of the share of the prompt's instructions that are followed strictly
    average                       of Multi-IF's turns: the mean of the first four, which is the published figure

Of Multi-IF a prompt is one turn of a conversation where turns are reported, and otherwise the whole conversation. A
category is the part of an id before the colon, a type the whole id; each is reported as if its instructions were the
only ones. Shares are fractions, also the bounds. Their 95 % intervals: Wilson's where prompts are counted, or where
every prompt has one instruction, which is the same; otherwise a bootstrap over prompts, because the instructions of
one prompt pass and fail together. Its generator is seeded: equal frames give equal reports.
"""

import json
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from uniapl import stats
from uniapl.tables import View, markdown

COLUMNS = ["group", "name", "metric", "passed", "total", "estimate", "low", "high", "method"]
LABELS = {
    "prompt_strict": "prompt strict",
    "prompt_loose": "prompt loose",
    "inst_strict": "instruction strict",
    "inst_loose": "instruction loose",
    "fraction": "fraction reward",
    "average": "average",
}
TITLES = {
    "all": "all prompts",
    "benchmark": "benchmark",
    "conversation": "whole conversations",
    "turn": "turn",
    "language": "turn and language",
    "category": "category",
    "type": "instruction type",
}
REWARDED, AVERAGED = ("all", "benchmark"), ("turn", "language")  # groups that also have rewards, or the average


def _bootstrap(interval: stats.Interval) -> dict:
    """The bounds of a bootstrap, or of what stands in for it; seeds, of which there is one, go without saying."""
    method = interval.method.replace(stats.ONE_SEED, "bootstrap over prompts")
    return {"low": interval.low, "high": interval.high, "method": method}


def _share(followed: np.ndarray, counts: np.ndarray) -> dict:
    """followed / given, both per prompt (n,), with its interval."""
    n, k = len(followed), float(followed.sum())
    if (counts == 1).all() and np.isin(followed, (0, 1)).all():
        low, high = stats.wilson(int(k), n)
        bounds = {"low": low, "high": high, "method": "Wilson interval over prompts"}
    else:
        bounds = _bootstrap(stats.interval(followed[None], counts, rng=np.random.default_rng(0)))
    return {"passed": k, "total": int(counts.sum()), "estimate": k / counts.sum(), **bounds}


def _average(whole: np.ndarray, followed: np.ndarray, counts: np.ndarray) -> dict:
    """The mean of the shares of prompts and of instructions, strict and loose: `whole` and `followed` are (2, n).

    Resampled is the linear part of a share r of instructions, r + (followed - r given) / mean(given), whose mean is r.
    """
    share = followed.sum(axis=1, keepdims=True) / counts.sum()
    linear = share + (followed - share * counts) / counts.mean()
    interval = stats.interval((whole + linear).mean(axis=0)[None] / 2, rng=np.random.default_rng(0))
    row = {"passed": interval.estimate * len(counts), "total": len(counts), "estimate": interval.estimate}
    return row | _bootstrap(interval)


def _measures(frame: pd.DataFrame, group: str) -> Iterator[dict]:
    """The rows of one group of instructions."""
    by_prompt = frame.groupby("key", sort=False)
    counts = by_prompt.size().to_numpy()
    ones = np.ones_like(counts)
    followed = {rule: by_prompt[rule].sum().to_numpy() for rule in ("strict", "loose")}
    whole = {rule: (of_prompt == counts).astype(int) for rule, of_prompt in followed.items()}
    for rule, of_prompt in followed.items():
        yield {"metric": f"prompt_{rule}", **_share(whole[rule], ones)}
        yield {"metric": f"inst_{rule}", **_share(of_prompt, counts)}
    if group in REWARDED:
        yield {"metric": "reward", **_share(whole["strict"], ones)}
        yield {"metric": "fraction", **_share(followed["strict"] / counts, ones)}
    if group in AVERAGED:
        yield {
            "metric": "average",
            **_average(*(np.stack([*by_rule.values()]) for by_rule in (whole, followed)), counts),
        }


def _groups(frame: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    """How a report groups the instructions of a frame, and each one's name there."""
    if "turn" in frame:
        turn = "turn " + frame["turn"].astype(str)
        yield "turn", turn
        yield "language", turn + ", " + frame["language"]
        yield "conversation", pd.Series("all turns", index=frame.index)
    else:
        yield "all", pd.Series("all", index=frame.index)
    if "benchmark" in frame:
        yield "benchmark", frame["benchmark"]
    yield "category", frame["instruction_id"].str.split(":").str[0]
    yield "type", frame["instruction_id"]


def report(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows (see COLUMNS) of a score frame: all prompts, each benchmark if it has any, each category, each type.

    Of a frame of Multi-IF: each turn, in all languages and in each; whole conversations; each category and type.
    """
    rows = [
        {"group": group, "name": name, **row}
        for group, names in _groups(frame)
        for name, part in frame.groupby(names)
        for row in _measures(part, group)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def percent(row: Mapping) -> str:
    """`67.8 [63.8, 71.6]`."""
    return f"{100 * row['estimate']:.1f} [{100 * row['low']:.1f}, {100 * row['high']:.1f}]"


def _table(rows: pd.DataFrame, group: str) -> str:
    """One group of a report as a pipe table: a line per name."""
    metrics = [metric for metric in LABELS if metric in set(rows["metric"])]
    lines = []
    for name, of_name in rows.groupby("name", sort=False):
        cells = of_name.set_index("metric").to_dict("index")
        counts = [str(cells[metric]["total"]) for metric in ("prompt_strict", "inst_strict")]
        lines.append([str(name), *counts, *(percent(cells[metric]) for metric in metrics)])
    caption = f"In %, with 95 % interval ({'; '.join(rows['method'].unique())})."
    if "fraction" in metrics:
        caption += " The all-or-nothing reward is the prompt strict share."
    head = [TITLES[group], "prompts", "instructions", *(LABELS[metric] for metric in metrics)]
    return markdown(View(caption, head, lines))


def render(reports: Mapping[str, pd.DataFrame], form: str) -> str:
    """Reports by their responses file as text: a JSON object a line, one CSV, or Markdown with a heading for each."""
    if form == "json":
        return "\n".join(
            json.dumps({"responses": name, "report": report.to_dict("records")}) for name, report in reports.items()
        )
    if form == "csv":
        frames = [report.assign(responses=name)[["responses", *COLUMNS]] for name, report in reports.items()]
        return pd.concat(frames).to_csv(index=False).rstrip("\n")
    parts = []
    for name, report in reports.items():
        tables = [_table(rows, group) for group, rows in report.groupby("group", sort=False)]
        parts.append("\n".join([f"## {name}\n", *tables]))
    return "\n".join(parts).rstrip("\n")
