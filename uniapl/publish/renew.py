"""Renew a published set: `python -m uniapl.publish.renew results/published/tiny`. No training, no generation.

What follows from the published rows is computed again by the code of this checkout: of rows/by_seed what pairs and
history say, analyses, tables, overview and manifest. Runs, other rows, fingerprints, devices and recorded versions
stay; the commit is that of the analysis, and `renewed` names the set before and the versions of the analysis.
`logprobs.csv`, the histogram of single tokens, has no published rows and stays; so do the record of how each claim was
first stated, and the verdicts with other seeds unless those of the set itself change: then they are left out, and a
line says so. An experiment that was written since and asks about runs of the set is added, its claims recorded as
late; one that is gone is left out.

Refuses a tree with uncommitted changes, a set that is not the one of its manifest, and runs of settings that the
experiments no longer have.
"""

import argparse
import shutil
import sys
from pathlib import Path

import pandas as pd

from uniapl import tables
from uniapl.analyse import claims
from uniapl.analyse.stated import first_statements
from uniapl.config import load_scale
from uniapl.config.card import changed_settings
from uniapl.config.runs import Runs
from uniapl.errors import UserError, one_line_errors
from uniapl.jsonl import read_jsonl
from uniapl.provenance import versions
from uniapl.publish import rows as evidence
from uniapl.publish.files import contradictions, fresh_folder_for
from uniapl.publish.publish import clean_commit, replace, seal
from uniapl.publish.verify import analyse_from_rows, read_manifest
from uniapl.tables import again, general, overview

KEPT = "data.json", "draws.jsonl", "runs.jsonl"  # beside the rows; sets whose seeds share their data lack the second


def renew(folder: Path) -> dict:
    """Replace the set in this folder, and return its manifest. Raises UserError, and then changes nothing."""
    now, manifest = clean_commit(), read_manifest(folder)
    for problem in contradictions(folder, manifest):
        raise UserError(f"{problem}; restore the set from version control before renewing it")
    runs = Runs(load_scale(manifest["scale"]))
    cards, rows = read_jsonl(folder / "runs.jsonl"), evidence.again(evidence.read(folder / "rows"))
    for card in cards:
        check_settings(card, runs, f"{folder}/runs.jsonl")
    by_run = {(card["arm"], card["seed"]): card for card in cards}
    experiments = experiments_with_all_runs(
        runs, {*zip(rows.scores.arm, rows.scores.seed, strict=True)}, manifest["experiments"]
    )
    fresh = fresh_folder_for(folder)
    shutil.copytree(folder / "rows", fresh / "rows")
    rows.by_seed.to_parquet(fresh / "rows/by_seed.parquet", compression="zstd", index=False)
    for name in filter(lambda name: (folder / name).is_file(), KEPT):
        shutil.copy(folder / name, fresh)
    for name in experiments:
        analysis, before, experiment = fresh / "analyse" / name, folder / "analyse" / name, runs.experiments[name]
        claims.check(experiment)
        stated = first_statements(analysis, before, experiment.claims, late=not before.is_dir())
        analyse_from_rows(analysis, experiment, runs.scale, rows, by_run, stated)
        if (before / "logprobs.csv").is_file():
            shutil.copy(before / "logprobs.csv", analysis)
        tables.render(analysis, fresh / "tables" / name)
    if (fresh / general.PUBLISHED).is_file():
        general.render(pd.read_parquet(fresh / general.PUBLISHED), manifest["scale"], fresh / "general")
    overview.render(fresh, runs.scale, fresh / "overview", folder.parent, experiments)
    if (folder / again.FOLDER).is_dir():
        shutil.copytree(folder / again.FOLDER, fresh / again.FOLDER)
        if changed := list(again.outdated(fresh, manifest["scale"])):
            print(f"{changed[0]}; left out: make it again by uniapl again", file=sys.stderr)
            shutil.rmtree(fresh / again.FOLDER)
    about = {"scale": manifest["scale"], "experiments": experiments, "versions": manifest["versions"]}
    about |= {"commit": now, "renewed": {"from": manifest["id"], "versions": versions()}}
    manifest = seal(fresh, about, cards)
    replace(folder, fresh)
    return manifest


def check_settings(card: dict, runs: Runs, where: str) -> None:
    """Raise UserError where a run started from another arm, or had other settings, than its arm has now."""
    name = f"{card['arm']}/seed{card['seed']}"
    if card["arm"] not in runs.arms:
        raise UserError(f"{where}: {name}: no experiment has this arm now; publish the set anew")
    if changed := changed_settings(card, runs.run(card["arm"], card["seed"])):
        raise UserError(f"{where}: {name} was trained with another {changed[0]} than the arm has now; publish anew")


def experiments_with_all_runs(runs: Runs, pairs: set[tuple[str, int]], before: list[str]) -> list[str]:
    """The experiments of which the set has every run: those of `before`, and others that ask about the same runs.

    Raises UserError where an experiment of `before` now asks for a run that the set does not have.
    """
    lacking = {name: sorted(set(runs.evaluated(name)) - pairs) for name in runs.extended}
    for name in before:
        if lacking.get(name):
            arm, seed = lacking[name][0]
            raise UserError(f"experiments/{name}.py asks for {arm}/seed{seed}, which the set lacks; run it and publish")
    return [name for name in runs.extended if not lacking[name]]


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="results/published/<scale>")
    folder = parser.parse_args(argv).folder
    manifest = renew(folder)
    before, n = manifest["renewed"]["from"], len(manifest["experiments"])
    print(f"renewed {folder}, {n} experiments: {manifest['id']}, from the rows of {before}")


if __name__ == "__main__":
    main()
