"""General benchmarks, UniAPL beside the base it started from: is general ability kept?

`python -m uniapl.tables.general --root results/local/tiny --out FOLDER` reads suite/{arm}/seed0.csv of both arms, and
converse/{arm}/seed0.csv where an arm was asked in turns, and writes general.csv, .md and .tex: for each benchmark
both means in %, and their difference in points, with 95 % intervals over prompts. A benchmark of many tasks is the mean
over all their prompts. Each arm is one training: what another seed would change is not in the intervals.
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
SAID = ("ability", "benchmark", "metric", "few_shot", "n_prompts")
SIDES = (*GENERAL, "difference")


def read(root: Path) -> pd.DataFrame:
    """arm and COLUMNS of both arms.

    Raises UserError for a file that is missing, has other columns or a value twice: converse's too, if one arm has it.
    """
    in_turns = any((root / "converse" / arm / "seed0.csv").is_file() for arm in GENERAL)
    frames = []
    for stage, arm in itertools.product(("suite", "converse") if in_turns else ("suite",), GENERAL):
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


def scores(rows: pd.DataFrame, benchmark: Task) -> pd.DataFrame:
    """The benchmark's metric, a column per arm and a row per prompt: of its own task, or of the tasks of its group."""
    return _paired(rows, benchmark, benchmark.metric)


def cut(rows: pd.DataFrame, benchmark: Task) -> dict[str, float]:
    """Per arm the share of answers, in %, that their limit ended; nothing where the benchmark has none of its own."""
    if not benchmark.tokens:
        return {}
    found = _paired(rows, benchmark, f"{CUT},{benchmark.metric.split(',')[1]}")
    return {f"{arm}_cut": round(100 * found[arm].mean(), 1) for arm in GENERAL}


def _paired(rows: pd.DataFrame, benchmark: Task, metric: str) -> pd.DataFrame:
    own = (rows.task == benchmark.name) | rows.task.str.startswith(f"{benchmark.name}_")
    found = rows[own & (rows.metric == metric)]
    return found.pivot(index=["task", "doc_id"], columns="arm", values="value").reindex(columns=list(GENERAL))


def general(rows: pd.DataFrame, benchmarks: Sequence[Task]) -> pd.DataFrame:
    """A row per benchmark that was run: both means and the trained arm minus the base, in % and points.

    p is that of `stats.compare`, p_holm adjusted over the table. Raises UserError where the arms answered different
    prompts, and where no benchmark was run.
    """
    rows_of_table = []
    for benchmark in benchmarks:
        values = scores(rows, benchmark)
        if values.isna().any(axis=None):
            n_base, n_trained = values.notna().sum()
            stated = f"answered different prompts ({n_base} and {n_trained} of {len(values)}); run their stage again"
            raise UserError(f"{benchmark.name}: {GENERAL[0]} and {GENERAL[1]} {stated}")
        if values.empty:
            continue  # it runs code, and was left out
        base, trained = (values[arm].to_numpy(dtype=float)[None] for arm in GENERAL)
        sides = {
            GENERAL[0]: interval(base, rng=np.random.default_rng(SEED)),
            GENERAL[1]: interval(trained, rng=np.random.default_rng(SEED)),
            "difference": compare(trained, base, rng=np.random.default_rng(SEED)),
        }
        numbers = {f"{side}_{name}": 100 * getattr(summary, name) for side, summary in sides.items() for name in FOUND}
        stated = (benchmark.ability, benchmark.name, benchmark.metric, benchmark.few_shot, len(values))
        numbers |= cut(rows, benchmark) | {"p": sides["difference"].p}
        rows_of_table.append(dict(zip(SAID, stated, strict=True)) | numbers)
    if not rows_of_table:
        raise UserError(f"no benchmark of {', '.join(b.name for b in benchmarks)} was run")
    table = pd.DataFrame(rows_of_table)
    table["p_holm"] = holm(table.p)
    return table


def view(text: pd.DataFrame) -> View:
    """One row per benchmark, grouped by ability."""
    rows, cuts = [], [name for name in (f"{arm}_cut" for arm in GENERAL) if name in text]
    for _, row in text.iterrows():
        numbers = [f"{row[f'{side}_estimate']} [{row[f'{side}_low']}, {row[f'{side}_high']}]" for side in SIDES]
        name, metric = f"{row.benchmark} ({row.few_shot}-shot)", row.metric.split(",")[0]
        limited = [row[name] or "none" for name in cuts]
        rows.append([row.ability, name, metric, row.n_prompts, *numbers, row.p_holm, *limited])
    caption = (
        f"General benchmarks: {GENERAL[1]} beside the base it started from, in %, and the difference in points, each "
        "with its 95 % interval (bootstrap over prompts, paired in the difference). p: Holm-adjusted over this table. "
        "One training of each: the variance of seeds is not included. What runs the model's code is left out."
    )
    caption += " Cut: the share of answers, in %, that reached the limit of their length." if cuts else ""
    head = f"ability|benchmark|metric|prompts|{GENERAL[0]} (%)|{GENERAL[1]} (%)|difference|p"
    head = [*head.split("|"), *(f"{name.removesuffix('_cut')}, cut (%)" for name in cuts)]
    return View(caption, head, rows, grouped=True)


def render(rows: pd.DataFrame, scale: str, out: Path) -> None:
    """Write the table in its three formats, from the rows of `read`. Raises UserError, and then writes nothing."""
    text = rounded("general", general(rows, (*SUITES[load_scale(scale).suite], *MULTI_TURN)))
    out.mkdir(parents=True, exist_ok=True)
    write("general", text, view(text), out, f"{scale}-general")


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="results/local/<scale>")
    parser.add_argument("--out", type=Path, required=True, help="folder for the table")
    args = parser.parse_args(argv)
    render(read(args.root), args.root.name, args.out)
    checksums.record(args.out)


if __name__ == "__main__":
    main()
