"""Published sets beside each other, ours or anybody's: `uniapl compare SET SET ... --out FOLDER`.

Every arm of every set is a row: prompts followed (strict, greedy) with its 95 % interval, its rank, and what a training
of it costs. Every pair of rows is compared on the same prompts, by the statistics of the analyses
(uniapl/analyse/accuracy.py): interval over seeds and prompts, Holm's p over the pairs of a benchmark, exact McNemar
over the seeds that both have, or, where an arm has one seed, with every seed of the other. A rank is one number only
where intervals and Holm's p decide every pair that it depends on; else it is from - to.

Refused, with the reason: a file that is not the manifest's; a run without all its scores; other test prompts; scores of
other checkers, backends, number formats or kinds of device; a set named twice. Verdicts are not computed again:
`uniapl verify SET` does that.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from uniapl.analyse import SEED, accuracy
from uniapl.analyse.inputs import Inputs, Question, provenance_by_run
from uniapl.analyse.refuse import COMMON, check_scores
from uniapl.config import choose
from uniapl.config.names import BENCHMARKS
from uniapl.errors import UserError, first_names, one_line_errors
from uniapl.jsonl import read_json, read_jsonl
from uniapl.publish import rows as evidence
from uniapl.publish.files import contradictions
from uniapl.publish.verify import read_manifest
from uniapl.tables import View, markdown, write
from uniapl.tables.columns import number

ALPHA = 0.05  # of a decided pair, as of a verdict
SEPARATOR = "/"  # between a set's name and an arm's
ROW = "set arm benchmark estimate low high n_seeds n_prompts rank_from rank_to seconds rollouts demonstration_rows"
FORMS = {".1f": "estimate low high difference seed_low seed_high predict_low predict_high"}
FORMS |= {".4g": "p p_holm", ".2g": "mcnemar_p p_seeds"}
FORMS |= {".0f": "n_seeds n_seeds_against n_prompts rank_from rank_to seconds rollouts demonstration_rows"}


@dataclass(frozen=True)
class Published:
    """A published set: what it is called here, its manifest, the digest of its test prompts, its rows and cards."""

    name: str
    manifest: dict
    prompts: str
    rows: evidence.Evidence
    cards: list[dict]


def read(folder: Path) -> Published:
    """A published set. Raises UserError where the folder has none, a file is not the one of its manifest, or a run
    lacks scores: a prompt that is left out would be one that is not followed."""
    manifest = read_manifest(folder)
    for problem in contradictions(folder, manifest):
        raise UserError(f"{problem}; ask who published it for the set as it was")
    digests = read_json(folder / "data.json", ("sha256",))["sha256"]
    if "test.jsonl" not in digests:
        raise UserError(f"{folder / 'data.json'}: no SHA-256 of test.jsonl: nobody can say which prompts were asked")
    rows = evidence.read(folder / "rows")
    try:
        check_scores(rows.test, rows.scores, "test")
    except UserError as error:
        raise UserError(f"{folder / 'rows/scores.parquet'}: {error}") from error
    return Published(manifest["id"], manifest, digests["test.jsonl"], rows, read_jsonl(folder / "runs.jsonl"))


def check(sets: Sequence[Published]) -> None:
    """Raise UserError, with the reason, for sets that cannot be compared."""
    if len(sets) < 2:
        raise UserError("needs two sets at least: uniapl compare results/published/tiny SET")
    first = sets[0]
    for number_, other in enumerate(sets[1:], start=1):
        if other.name in [before.name for before in sets[:number_]]:
            raise UserError(f"{other.name}: is named twice, or lies in two folders")
        if other.prompts != first.prompts:
            raise UserError(f"{other.name}: was asked other test prompts than {first.name}; no pair of scores has one")
        keys = [frame.sort_values("key", ignore_index=True) for frame in (first.rows.test, other.rows.test)]
        if not keys[0].equals(keys[1]):
            raise UserError(f"{other.name}: its prompts have other keys or instructions than those of {first.name}")
    known = pd.concat(
        provenance_by_run(((card["arm"], card["seed"]), card) for card in one.cards).assign(set=one.name)
        for one in sets
    )
    for name in COMMON:
        values = known[known[name].notna()]
        other = values[values[name] != values[name].iloc[0]] if len(values) else values
        if len(other):
            a, b = (f"{row.arm} of {row.set} has {name} {row[name]}" for row in (values.iloc[0], other.iloc[0]))
            raise UserError(f"{a}, {b}: the difference would be that of the {name}, not of the methods")


def joined(sets: Sequence[Published], arms: Sequence[str] | None) -> pd.DataFrame:
    """The scores of all sets as those of one, with SET/ARM as the arm. Raises UserError for an arm that no set has."""
    frames = []
    for one in sets:
        frame = one.rows.scores
        frame = frame[frame.decoding == "greedy"]
        frame = frame[frame.arm.isin(arms)] if arms else frame
        frames.append(frame.assign(arm=one.name + SEPARATOR + frame.arm.astype(str)))
    everywhere = {str(arm) for one in sets for arm in one.rows.scores.arm.unique()}
    for arm in arms or ():
        choose("--arms", arm, everywhere)
    return pd.concat(frames, ignore_index=True)


def pairs(sets: Sequence[Published], arms: Sequence[str] | None, benchmark: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(accuracies, comparisons of every pair) of all rows on a benchmark, as the analyses have them."""
    scores = joined(sets, arms)
    choose("--benchmark", benchmark, set(sets[0].rows.test.benchmark.astype(str)))
    test = sets[0].rows.test
    inputs = Inputs(test[test.benchmark == benchmark], *[pd.DataFrame()] * 6)
    cells = accuracy.per_prompt(replace(inputs, scores=scores))
    names = tuple(sorted(scores.arm.unique()))
    plan, rng = Question(names, names), np.random.default_rng(SEED)
    of_rows, of_pairs = rng.spawn(2)
    whole = accuracy.accuracies(cells, plan, [benchmark], of_rows, 9999)
    compared = accuracy.comparisons(cells, plan, [benchmark], of_pairs, 9999)
    return whole[whole.metric == "prompt_strict"], compared[compared.decoding == "greedy"]


def ranks(names: Sequence[str], compared: pd.DataFrame) -> dict[str, tuple[int, int]]:
    """name -> (best, worst) rank: one more than the rows decided to be better; all but those decided to be worse."""
    best, worst = dict.fromkeys(names, 1), dict.fromkeys(names, len(names))
    decided = compared[((compared.low > 0) | (compared.high < 0)) & (compared.p_holm < ALPHA)]
    for row in decided.itertuples():
        better, other = (row.arm, row.against) if row.difference > 0 else (row.against, row.arm)
        best[other] += 1
        worst[better] -= 1
    return {name: (best[name], worst[name]) for name in names}


def leaderboard(sets: Sequence[Published], whole: pd.DataFrame, compared: pd.DataFrame) -> pd.DataFrame:
    """ROW: the rows, the best first; seconds, rollouts and demonstration rows are means over an arm's trainings."""
    costs = {}
    for one in sets:
        cards = pd.DataFrame([{"arm": card["arm"], **card["cost"]} for card in one.cards])
        for arm, mean in cards.groupby("arm").mean(numeric_only=True).iterrows():
            costs[one.name + SEPARATOR + arm] = mean
    places = ranks(list(whole.arm), compared)
    rows = []
    for row in whole.sort_values("estimate", ascending=False).to_dict("records"):
        set_, _, arm = row["arm"].rpartition(SEPARATOR)
        cost = {name: costs.get(row["arm"], {}).get(name) for name in ("seconds", "rollouts", "demonstration_rows")}
        places_ = dict(zip(("rank_from", "rank_to"), places[row["arm"]], strict=True))
        rows.append(row | {"set": set_, "arm": arm} | places_ | cost)
    return pd.DataFrame(rows)[ROW.split()]


def text_of(frame: pd.DataFrame) -> pd.DataFrame:
    """The table as strings, in the formats of FORMS; what is not known is blank."""
    forms = {column: form for form, columns in FORMS.items() for column in columns.split()}
    cells = {
        name: ["" if pd.isna(x) else number(float(x), forms[name]) if name in forms else str(x) for x in frame[name]]
        for name in frame
    }
    return pd.DataFrame(cells)


def view_leaderboard(text: pd.DataFrame, n_pairs: int) -> View:
    """A row per arm of a set, the best first."""
    rows = [
        [
            row.rank_from if row.rank_from == row.rank_to else f"{row.rank_from} - {row.rank_to}",
            row.arm,
            row.set,
            f"{row.estimate} [{row.low}, {row.high}]",
            row.n_seeds,
            row.seconds,
            row.rollouts,
            row.demonstration_rows,
        ]
        for row in text.itertuples()
    ]
    benchmark = BENCHMARKS.get(text.benchmark.iloc[0], text.benchmark.iloc[0])
    caption = (
        f"Prompts followed, {benchmark}, in %, strict, greedy, with 95 % interval over seeds and prompts; n = "
        f"{text.n_prompts.iloc[0]} prompts. Rank: one number where every pair that it depends on is decided, by its "
        f"interval and by p below {ALPHA} after Holm's adjustment over all {n_pairs} pairs; else from - to. Seconds, "
        "rollouts and demonstration rows: mean of an arm's trainings, without what it started from."
    )
    head = "rank|arm|set|prompts followed (%)|seeds|seconds|rollouts|demonstration rows"
    return View(caption, head.split("|"), rows)


def view_pairs(text: pd.DataFrame) -> View:
    """A row per pair."""
    rows = [
        [f"{row.arm} minus {row.against}", f"{row.difference} [{row.low}, {row.high}]", row.p_holm, row.mcnemar_p]
        + [f"{row.n_seeds} / {row.n_seeds_against}", row.n_prompts]
        for row in text.itertuples()
    ]
    caption = (
        "Differences in points, paired by prompt, with 95 % interval over seeds and prompts. p (Holm): two-sided, "
        "adjusted over all pairs. McNemar: exact, the median over the seeds that both have, or, of an arm of one seed, "
        "over all seeds of the other; blank where there is none."
    )
    return View(caption, "pair|difference (points)|p (Holm)|McNemar p|seeds|prompts".split("|"), rows)


def compare(folders: Sequence[Path], arms: Sequence[str] | None, benchmark: str) -> dict[str, tuple]:
    """Name -> (table, view) of the leaderboard and of all pairs. Raises UserError like `read` and `check`."""
    sets = [read(folder) for folder in folders]
    check(sets)
    whole, compared = pairs(sets, arms, benchmark)
    if len(whole) < 2:
        raise UserError(f"--arms leaves {len(whole)} row(s): {first_names(list(whole.arm))} has nothing beside it")
    board, table = text_of(leaderboard(sets, whole, compared)), text_of(compared)
    return {"leaderboard": (board, view_leaderboard(board, len(compared))), "pairs": (table, view_pairs(table))}


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path, nargs="+", help="folders of published sets")
    parser.add_argument("--arms", nargs="+", help="these arms alone; default: all")
    parser.add_argument(
        "--benchmark", default="trained", help=f"one of {', '.join(BENCHMARKS)}, where the sets have it"
    )
    parser.add_argument("--out", type=Path, help="folder for leaderboard and pairs, as .csv, .md and .tex")
    args = parser.parse_args(argv)
    tables = compare(args.sets, args.arms, args.benchmark)
    for name, (text, view) in tables.items():
        if args.out:
            args.out.mkdir(parents=True, exist_ok=True)
            write(name, text, view, args.out, name)
    print(markdown(tables["leaderboard"][1]))


if __name__ == "__main__":
    main()
