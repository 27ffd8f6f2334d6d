"""Publish a finished run: copy what is small and citable to results/published/<scale>/, with a manifest.

`python -m uniapl.publish --scale tiny` copies the tables and the analysis of every experiment that has tables (all
of the target `all` must), the rows behind them (uniapl/publish/rows.py), the general benchmarks
(uniapl/tables/general.py), the overview (uniapl/tables/overview.py), the verdicts with other seeds
(uniapl/tables/again.py) where they were made, the summaries of the data, one line per run card, writes manifest.json
(commit, versions, device, fingerprints, SHA-256 of every file) and renews the tables in README.md. It refuses a
tree with uncommitted changes, runs that were trained from one, and runs of settings that the experiments no longer
have. With --partial it publishes what is finished (uniapl/publish/partial.py).
"""

import argparse
import json
import shutil
from pathlib import Path

from uniapl.analyse import plan_of
from uniapl.analyse.inputs import run_provenance
from uniapl.config import load_scale
from uniapl.config.card import PUBLISHED, read_card
from uniapl.config.names import TABLES
from uniapl.config.runs import Runs
from uniapl.errors import UserError, one_line_errors
from uniapl.jsonl import read_json
from uniapl.provenance import checksums, commit, sha256_of, versions
from uniapl.publish import rows as evidence
from uniapl.publish.files import check_card, check_sizes, fresh_folder_for, of_cards, stable_id, swap
from uniapl.publish.partial import publish_partial, said
from uniapl.publish.readme import renewed
from uniapl.publish.verify import differences
from uniapl.tables import again, general, overview

CARD = (
    "arm",
    "seed",
    "start_arm",
    "fingerprint",
    "commit",
    "device",
    "settings",
    "cost",
    "heldout",
    "weights_sha256",
)
ALSO = ("trainer", "versions", "devices", "compute", "source")  # of a card, where it has them
README_SCALE = "tiny"  # whose verdicts it shows


def finished(root: Path, runs: Runs) -> list[str]:
    """The experiments with tables, which all default ones must have or a UserError says which has not."""
    lacking = {
        name: [path for table in TABLES if not (path := root / f"tables/{name}/{table}.csv").is_file()]
        for name in runs.extended
    }
    for name in runs.default:
        if lacking[name]:
            raise UserError(f"{lacking[name][0]}: no such table; finish the run before publishing it")
    return [name for name in runs.extended if not lacking[name]]


def read_cards(root: Path, runs: Runs, experiments: list[str]) -> list[dict]:
    """The card of every training that the experiments need, complete and of their settings or a UserError."""
    cards = []
    for arm, seed in sorted(set().union(*map(runs.trained, experiments))):
        path = root / "train" / arm / f"seed{seed}" / "run.json"
        if not path.exists():
            raise UserError(f"{path}: no such run card; finish the run before publishing it")
        card = read_card(path)
        check_card(card, runs, str(path))
        published = {name: card[name] for name in PUBLISHED if name in card}
        cards.append(published | run_provenance(root, "test", arm, seed))
    return cards


def draws(root: Path, runs: Runs, cards: list[dict]) -> list[dict]:
    """Of each seed of a card whose data were drawn for it alone (not seed 0): their summary, with the `seed`."""
    found = []
    for seed in sorted({card["seed"] for card in cards} & {*runs.draws}):
        path = root / runs.data_of(seed) / "summary.json"
        checksums.check(path)
        found.append({"seed": seed} | read_json(path, ("sha256",)))
    return found


def seeds_of_all(runs: Runs, experiments: list[str]) -> dict[str, list[int]]:
    """arm -> every seed at which one of the experiments evaluates it."""
    seeds_by_arm: dict[str, set[int]] = {}
    for name in experiments:
        for arm, seeds in plan_of(runs.experiments[name], runs.scale).seeds.items():
            seeds_by_arm.setdefault(arm, set()).update(seeds)
    return {arm: sorted(seeds) for arm, seeds in seeds_by_arm.items()}


def clean_commit() -> str:
    """The commit of the tree. Raises UserError where it has uncommitted changes, or none."""
    now = commit()
    if now == "unknown" or now.endswith("-dirty"):
        raise UserError(f"the tree is at {now}: commit first, so that the published numbers have a commit")
    return now


def seal(fresh: Path, about: dict, cards: list[dict]) -> dict:
    """Write and return the manifest of what is in `fresh`; `about` says scale, experiments, commit and versions.

    Raises UserError for too large a set.
    """
    files = sorted(path for path in fresh.rglob("*") if path.is_file())
    check_sizes(files, len(about["experiments"]))
    sha256 = {str(p.relative_to(fresh)): sha256_of(p) for p in files}
    id_ = stable_id(about["scale"], about["commit"], sha256)
    manifest = {"id": id_} | about | of_cards(cards) | {"sha256": sha256}
    (fresh / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    return manifest


def replace(out: Path, fresh: Path) -> None:
    """Put the sealed set in the place of the one before, and its tables into the README if that is of its scale.

    Raises UserError, and changes nothing, for a README without the places for them.
    """
    readme = out.resolve().parents[2] / "README.md"
    in_readme = out.name == README_SCALE and readme.is_file()
    text = renewed(readme.read_text(), fresh) if in_readme else ""
    swap(out, fresh)
    if in_readme:
        readme.write_text(text)


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", required=True)
    parser.add_argument("--partial", action="store_true", help="publish the trainings that are finished so far")
    args = parser.parse_args(argv)
    now = clean_commit()
    if args.partial:
        manifest = publish_partial(args.scale, now)
        print(f"published {len(manifest['sha256'])} files, {said(manifest)}: {manifest['id']}")
        return
    root, out = Path("results/local") / args.scale, Path("results/published") / args.scale
    runs = Runs(load_scale(args.scale))
    experiments = finished(root, runs)
    cards = read_cards(root, runs, experiments)
    fresh = fresh_folder_for(out)
    folders = [f"{stage}/{name}" for name in experiments for stage in ("analyse", "tables")]
    for folder in folders + [again.FOLDER] * (root / again.FOLDER).is_dir():
        checksums.check(root / folder)
        shutil.copytree(root / folder, fresh / folder, ignore=shutil.ignore_patterns(".*"))
    evidence.write(evidence.gather(root, seeds_of_all(runs, experiments)), fresh / "rows")
    if runs.general:
        rows = general.read(root, runs.general)
        rows.to_parquet(fresh / general.PUBLISHED, compression="zstd", index=False)
        general.render(rows, args.scale, fresh / "general")
    checksums.check(root / "data/summary.json")
    shutil.copy(root / "data/summary.json", fresh / "data.json")
    (fresh / "draws.jsonl").write_text("".join(json.dumps(draw) + "\n" for draw in draws(root, runs, cards)))
    (fresh / "runs.jsonl").write_text("".join(json.dumps(card, sort_keys=True) + "\n" for card in cards))
    overview.render(fresh, runs.scale, fresh / "overview", out.parent, experiments)
    about = {"scale": args.scale, "experiments": experiments, "commit": now, "versions": versions()}
    manifest = seal(fresh, about, cards)
    for line in differences(fresh, manifest, out.parent):
        raise UserError(f"{line}: this does not follow from the set's own rows; run snakemake again, then publish")
    replace(out, fresh)
    print(f"published {len(manifest['sha256'])} files of {len(experiments)} experiments to {out}: {manifest['id']}")
