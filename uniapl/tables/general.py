"""General benchmarks, trained arms beside the base they started from: is general ability kept?

`python -m uniapl.tables.general --root results/local/tiny --out FOLDER` reads suite/{arm}/seed0.csv of the scale's
arms, and converse/{arm}/seed0.csv where an arm was asked in turns, and writes general.csv, .md and .tex: for each
benchmark and arm both means, in % or in the benchmark's own unit, and their difference, with 95 % intervals over
prompts. A benchmark of many tasks is the mean over all their prompts. Each arm is one training: what another seed would
change is not in the intervals. Of shares, only benchmarks count on which the base has MEASURABLE: beside others stands
no difference, since what cannot fall, or rise, measures nothing.
"""

import argparse
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from uniapl.config import load_scale
from uniapl.config.names import GENERAL
from uniapl.config.suites import COLUMNS, CUT, MULTI_TURN, SUITES, Task
from uniapl.errors import UserError, one_line_errors
from uniapl.provenance import checksums
from uniapl.stats import compare, holm, interval
from uniapl.tables import View, rounded, write

SEED = 0  # of the bootstrap
PUBLISHED = Path("rows/general.parquet")  # in a published set
FOUND = ("estimate", "low", "high")
SAID = ("ability", "benchmark", "metric", "unit", "few_shot", "arm", "n_prompts")
SIDES = ("base", "arm", "difference")
MEASURABLE = (10.0, 90.0)  # %, of the base
NOT_MEASURABLE = "not measurable"


def read(root: Path, arms: Sequence[str] = GENERAL) -> pd.DataFrame:
    """arm and COLUMNS of the arms.

    Raises UserError for a file that is missing, has other columns or a value twice: converse's too, if one arm has it.
    """
    in_turns = any((root / "converse" / arm / "seed0.csv").is_file() for arm in arms)
    frames = []
    for stage, arm in itertools.product(("suite", "converse") if in_turns else ("suite",), arms):
        path = root / stage / arm / "seed0.csv"
        if not path.is_file():
            raise UserError(f"{path}: no such file; run the stage {stage} first")
        checksums.check(path)
        frame = pd.read_csv(path, dtype={"doc_id": str})
        if list(frame) != COLUMNS:
            raise UserError(
                f"{path}: columns {', '.join(frame)}, not {', '.join(COLUMNS)}; run the stage {stage} again"
            )
        if (twice := frame.duplicated(COLUMNS[:3])).any():
            task, doc_id, metric = frame.loc[twice.idxmax(), COLUMNS[:3]]
            raise UserError(f"{path}: {metric} of {task}, doc_id {doc_id}, is there twice; run the stage {stage} again")
        frames.append(frame.assign(arm=arm))
    return pd.concat(frames, ignore_index=True)[["arm", *COLUMNS]]


def scores(rows: pd.DataFrame, benchmark: Task, arms: Sequence[str]) -> pd.DataFrame:
    """The benchmark's metric, a column per arm and a row per prompt: of its own task, or of the tasks of its group."""
    return _by_arm(rows, benchmark, benchmark.metric, arms)


def cut(rows: pd.DataFrame, benchmark: Task, arms: Sequence[str]) -> dict[str, float]:
    """Per arm the share of answers, in %, that their limit ended; nothing where the benchmark has none of its own."""
    if not benchmark.tokens:
        return {}
    found = _by_arm(rows, benchmark, f"{CUT},{benchmark.metric.split(',')[1]}", arms)
    return {arm: round(100 * found[arm].mean(), 1) for arm in arms}


def _by_arm(rows: pd.DataFrame, benchmark: Task, metric: str, arms: Sequence[str]) -> pd.DataFrame:
    own = (rows.task == benchmark.name) | rows.task.str.startswith(f"{benchmark.name}_")
    found = rows[own & (rows.metric == metric)]
    return found.pivot(index=["task", "doc_id"], columns="arm", values="value").reindex(columns=list(arms))


def general(rows: pd.DataFrame, benchmarks: Sequence[Task], arms: Sequence[str] = GENERAL) -> pd.DataFrame:
    """A row per benchmark that was run and arm but the first, the base: both means and the arm minus the base.

    p is that of `stats.compare`, p_holm adjusted over the table; without a difference (MEASURABLE) there is neither.
    Raises UserError where the arms answered different prompts, and where no benchmark was run.
    """
    rows_of_table = []
    for benchmark in benchmarks:
        of_arms = scores(rows, benchmark, arms)
        if of_arms.empty:
            continue  # it runs code, and was left out
        shares = cut(rows, benchmark, arms)
        for arm in arms[1:]:
            limited = {"base_cut": shares[arms[0]], "arm_cut": shares[arm]} if shares else {}
            rows_of_table.append(_beside(benchmark, of_arms[[arms[0], arm]]) | limited)
    if not rows_of_table:
        raise UserError(f"no benchmark of {', '.join(b.name for b in benchmarks)} was run")
    table = pd.DataFrame(rows_of_table)
    measured = table.p.notna()
    table["p_holm"] = np.nan
    table.loc[measured, "p_holm"] = holm(table.p[measured]) if measured.any() else np.nan
    return table


def _beside(benchmark: Task, both: pd.DataFrame) -> dict:
    """The row of a benchmark and an arm: `both` has the base's values and the arm's."""
    if both.isna().any(axis=None):
        (base, n_base), (arm, n_arm) = both.notna().sum().items()
        said = f"answered different prompts ({n_base} and {n_arm} of {len(both)}); run their stage again"
        raise UserError(f"{benchmark.name}: {base} and {arm} {said}")
    share = benchmark.unit == "%"
    base, arm = (both[name].to_numpy(dtype=float)[None] for name in both)
    sides = {
        "base": interval(base, rng=np.random.default_rng(SEED)),
        "arm": interval(arm, rng=np.random.default_rng(SEED)),
        "difference": compare(arm, base, rng=np.random.default_rng(SEED)),
    }
    times = 100 if share else 1  # afterwards: of a share `stats` knows that it lies between 0 and 1
    numbers = {f"{side}_{name}": times * getattr(of, name) for side, of in sides.items() for name in FOUND}
    numbers["p"] = sides["difference"].p
    low, high = MEASURABLE
    if share and not low <= numbers["base_estimate"] <= high:
        numbers |= dict.fromkeys(("p", *(f"difference_{name}" for name in FOUND)), np.nan)
    said = (benchmark.ability, benchmark.name, benchmark.metric, benchmark.unit, benchmark.few_shot)
    return dict(zip(SAID, (*said, both.columns[1], len(both)), strict=True)) | numbers


def view(text: pd.DataFrame) -> View:
    """One row per benchmark and arm, grouped by ability."""
    rows, cuts = [], [name for name in ("base_cut", "arm_cut") if name in text]
    for _, row in text.iterrows():
        numbers = [f"{row[f'{side}_estimate']} [{row[f'{side}_low']}, {row[f'{side}_high']}]" for side in SIDES]
        if not row.difference_estimate:
            numbers[-1] = NOT_MEASURABLE
        name, metric = f"{row.benchmark} ({row.few_shot}-shot)", row.metric.split(",")[0]
        limited = [row[name] or "none" for name in cuts]
        said = (row.ability, name, f"{metric} ({row.unit})", row.arm, row.n_prompts)
        rows.append([*said, *numbers, row.p_holm, *limited])
    low, high = MEASURABLE
    caption = (
        "General benchmarks: trained arms beside the base they started from, and the difference (of shares in points), "
        "each with its 95 % interval (bootstrap over prompts, paired in the difference). p: Holm-adjusted over this "
        f"table. {NOT_MEASURABLE.capitalize()}: a share of which the base has less than {low:.0f} % or more than "
        f"{high:.0f} %. One training of each: the variance of seeds is not included. What runs the model's code is "
        "left out."
    )
    caption += " Cut: the share of answers, in %, that reached the limit of their length." if cuts else ""
    head = "ability|benchmark|metric|arm|prompts|base|arm|difference|p".split("|")
    return View(caption, [*head, *(f"{name.removesuffix('_cut')}, cut (%)" for name in cuts)], rows, grouped=True)


def render(rows: pd.DataFrame, scale: str, out: Path) -> None:
    """Write the table in its three formats, from the rows of `read`. Raises UserError, and then writes nothing."""
    of = load_scale(scale)
    text = rounded("general", general(rows, (*SUITES[of.suite], *MULTI_TURN), of.general))
    out.mkdir(parents=True, exist_ok=True)
    write("general", text, view(text), out, f"{scale}-general")


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="results/local/<scale>")
    parser.add_argument("--out", type=Path, required=True, help="folder for the table")
    args = parser.parse_args(argv)
    render(read(args.root, load_scale(args.root.name).general), args.root.name, args.out)


if __name__ == "__main__":
    main()
