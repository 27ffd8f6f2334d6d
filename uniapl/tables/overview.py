"""Tables over all experiments of one set of results: the paper's claims, all claims, all settings.

`python -m uniapl.tables.overview --root results/local/tiny --out results/local/tiny/overview` reads the analyses and
run cards that exist under the root and writes, each as .csv, .md and .tex,

    paper     every claim of [A] and [K] beside its analogue at this scale, and at paper scale, or "not run" there
    claims    the verdict on every claim of every experiment: "missing" where an analysis is not there
    ablations what each arm of the ablations changes, and its difference to the experiment's comparator
    settings  what every trainer is set to, with the source of each value
    arms      what each arm changes in these

and claims.json with the first two, unrounded. Paths of evidence are within the results of their scale.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from uniapl.analyse.claims import COLUMNS
from uniapl.config import Scale, experiments_of, load_scale
from uniapl.errors import UserError, one_line_errors
from uniapl.provenance import checksums
from uniapl.tables import View, hyperparameters, rounded, write
from uniapl.tables.ablations import ablations, view_ablations
from uniapl.tables.paper_claims import PAPER_CLAIMS
from uniapl.tables.views import estimate_with_intervals, verdict, view_claims

MISSING, NOT_RUN, NO_ANALOGUE = "missing", "not run", "no analogue"
PAPER = "paper"  # the scale at which the paper's claims are as stated
SAID = ("paper_id", "says", "said_in", "caveat", "scale")


def all_claims(root: Path, scale: Scale, experiments: Sequence[str] | None = None) -> pd.DataFrame:
    """COLUMNS, experiment and evidence of every claim; the rows of an experiment that was not analysed are missing.

    `experiments`: of these alone; None: of all that can be asked at the scale.
    """
    frames = []
    for experiment in experiments_of(scale):
        if experiments is not None and experiment.name not in experiments:
            continue
        name, path = experiment.name, Path("analyse") / experiment.name / "claims.csv"
        stated = [vars(claim) for claim in experiment.claims]
        if (root / path).is_file():
            checksums.check(root / path)
            frame = pd.read_csv(root / path)
            if absent := {"id", "verdict", "estimate"} - set(frame.columns):
                raise UserError(f"{root / path}: no column {', '.join(sorted(absent))}; run the stage analyse again")
            unjudged = [claim for claim in stated if claim["id"] not in set(frame.id)]
        else:
            frame, unjudged = pd.DataFrame(), stated
        absent = pd.DataFrame(unjudged).assign(n_seeds=0, verdict=MISSING)
        rows = [part for part in (frame, absent) if len(part)]
        frames += [part.assign(experiment=name, evidence=str(path)) for part in rows]
    columns = [*COLUMNS, "experiment", "evidence"]
    records = [row for frame in frames for row in frame.to_dict("records")]
    return pd.DataFrame(records, columns=columns)


def paper_rows(claims: pd.DataFrame, scale: str) -> list[dict]:
    """The paper's claims at a scale: a row per analogue, or one without; none was run where all are missing."""
    by_id, rows = {row["id"]: row for row in claims.to_dict("records")}, []
    run = not (claims.verdict == MISSING).all()
    for claim in PAPER_CLAIMS:
        stated = dict(zip(SAID, (claim.id, claim.says, claim.source, claim.caveat, scale), strict=True))
        analogues = [id for id in claim.analogues if id in by_id]  # those that can be asked at this scale
        if scale == PAPER and not run:
            rows.append(stated | {"n_seeds": 0, "verdict": NOT_RUN})
        elif not analogues:
            rows.append(stated | {"n_seeds": 0, "verdict": NO_ANALOGUE})
        rows += [stated | by_id[id] for id in analogues if run or scale != PAPER]
    return rows


def paper(scale: str, claims: pd.DataFrame, at_paper: Path) -> pd.DataFrame:
    """SAID and the columns of `all_claims`: at this scale, then as stated at paper scale, by the results there."""
    rows = paper_rows(claims, scale)
    if scale != PAPER:
        rows += paper_rows(all_claims(at_paper, load_scale(PAPER)), PAPER)
    rows.sort(key=lambda row: [claim.id for claim in PAPER_CLAIMS].index(row["paper_id"]))
    return pd.DataFrame(rows, columns=[*SAID, *COLUMNS, "experiment", "evidence"])


def view_paper(text: pd.DataFrame) -> View:
    """One row per claim of the paper, scale and analogue."""
    rows = []
    for _, row in text.iterrows():
        data = f"{row.n_seeds} x {row.n_prompts}" if row.n_prompts else row.n_seeds if row.n_seeds != "0" else ""
        analogue = f"{row.id}: {row.sentence}" if row.id else "as stated" if row.verdict == NOT_RUN else ""
        limits = f" ({row.caveat})" if row.caveat and row.verdict != NOT_RUN else ""
        again = rows and rows[-1][0].split(" ")[0] == row.paper_id
        says = row.paper_id if again else f"{row.paper_id} {row.said_in}: {row.says}"
        rows.append([says, row.scale, f"{analogue}{limits}".strip(), estimate_with_intervals(row), data, verdict(row)])
    caption = (
        "What the paper's abstract [A] and the key findings that circulate with it [K] claim, in our words, and what "
        "was measured of the analogue at this scale. A verdict is about the analogue; in brackets in what it differs, "
        "or why there is none. Difference with 95 % interval, in the unit of the claim's quantity (table claims)."
    )
    head = "the paper says|scale|analogue|found|seeds x prompts|verdict"
    return View(
        caption, head.split("|"), rows, {"the paper says": 0.28, "analogue": 0.26, "found": 0.13, "verdict": 0.14}
    )


def render(
    root: Path, scale: Scale, out: Path, sets: Path | None = None, experiments: Sequence[str] | None = None
) -> None:
    """Write every table and claims.json of the results under the root. `sets`: where the set of the paper's scale is,
    by default beside the root.

    `experiments`: those that a published set has, None for all of the scale: an experiment that is written later does
    not stand in it as missing. Raises UserError for a folder that does not exist.
    """
    if not root.is_dir():
        raise UserError(f"{root}: no such folder; run the stages up to analyse first")
    claims = all_claims(root, scale, experiments)
    of_paper = paper(scale.name, claims, (sets or root.parent) / PAPER)
    values = hyperparameters.read(root, scale)
    out.mkdir(parents=True, exist_ok=True)
    for name, table, view_of in (
        ("paper", of_paper, view_paper),
        ("claims", claims, view_claims),
        ("ablations", ablations(root, values), view_ablations),
        ("settings", hyperparameters.settings(values), hyperparameters.view_settings),
        ("arms", hyperparameters.arms(values), hyperparameters.view_arms),
    ):
        text = rounded(name, table)
        write(name, text, view_of(text), out, f"{scale.name}-{name}")
    records = {
        name: json.loads(table.to_json(orient="records")) for name, table in (("paper", of_paper), ("claims", claims))
    }
    (out / "claims.json").write_text(json.dumps({"scale": scale.name} | records, indent=1) + "\n")


@one_line_errors
def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Tables over all experiments of one set of results.")
    parser.add_argument("--root", type=Path, required=True, help="results of one scale, named like it")
    parser.add_argument("--out", type=Path, required=True, help="folder for the tables")
    args = parser.parse_args(argv)
    render(args.root, load_scale(args.root.name), args.out)
    checksums.record(args.out)


if __name__ == "__main__":
    main()
