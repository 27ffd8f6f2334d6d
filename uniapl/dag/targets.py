"""The files that the targets of the Snakefile ask for, and the sources whose edits make a stage run again."""

from pathlib import Path

from uniapl.config import choose
from uniapl.config.figures import figures_of
from uniapl.config.names import MAIN, TABLES
from uniapl.config.runs import Runs
from uniapl.errors import UserError

ANALYSES = sorted(map(str, Path("uniapl/analyse").glob("*.py")))
RENDERING = sorted(map(str, Path("uniapl/tables").glob("*.py")))
STATISTICS = sorted(map(str, Path("uniapl/stats").glob("*.py")))
EVERYDAY = sorted(map(str, Path("uniapl/data/everyday").rglob("*.py")))
REPORTING = sorted(str(path) for path in Path("uniapl/report").glob("*.*"))
SCORING = [f"uniapl/scorers/{name}.py" for name in ("verdicts", "match", "responses", "files")]
CHECKERS = sorted(map(str, Path("uniapl/checkers").rglob("*.py")))


def tables_and_figures(runs: Runs, experiments: list[str]) -> list[str]:
    """What a target asks of its experiments, at the scale of these runs."""
    results, scale = f"results/local/{runs.scale.name}", runs.scale.name
    return [
        *(f"{results}/tables/{name}/{table}.csv" for name in experiments for table in TABLES),
        *([f"{results}/general/general.csv"] if runs.general else []),
        *(f"figures/out/local/{scale}/{figure}.pdf" for figure in figures_of(experiments)),
    ]


def whole_set(runs: Runs, *, extended: bool) -> list[str]:
    """All that a target asks for: of each of its experiments, and of all of them together."""
    ending, experiments = ("_extended", runs.extended) if extended else ("", runs.default)
    together = [f"report{ending}.html", f"overview{ending}/claims.json"]
    together += [f"beside{ending}/beside.csv"] if runs.has_published_set else []
    return tables_and_figures(runs, experiments) + [f"results/local/{runs.scale.name}/{name}" for name in together]


def scored(runs: Runs, experiment: str) -> list[str]:
    """What says that every checkpoint of an experiment is scored: a file for each batch that one of them is in."""
    split, pairs = (
        runs.experiments[choose("experiment", experiment, runs.experiments)].split,
        runs.evaluated(experiment),
    )
    return [
        f"results/local/{runs.scale.name}/score/{split}/{arm}/seeds_{'_'.join(map(str, seeds))}.done"
        for (of_split, seeds), arms in runs.batches.items()
        for arm in arms
        if of_split == split and any((arm, seed) in pairs for seed in seeds)
    ]


def world_files(runs: Runs) -> list[str]:
    """The files that a world of files is made of."""
    return [str(path) for path in runs.scale.world.paths.values()]


def drawable() -> list[str]:
    """`<set>/<scale>/<figure>` of all that the results allow, published ones first. Raises UserError for none."""
    figures = []
    for results in (p for s in ("published", "local") for p in sorted(Path("results").glob(f"{s}/*"))):
        analysed = [path.parent.name for path in results.glob(MAIN)]
        figures += [f"{results.parts[1]}/{results.name}/{figure}" for figure in figures_of(analysed)]
    if not figures:
        raise UserError(
            f"no figure to draw: neither results/published/*/{MAIN} nor results/local/*/{MAIN} exists; "
            "`snakemake --cores all` makes the local one"
        )
    return figures


def published_analysis(results: str, figure: str) -> list[str]:
    """The published analysis that a figure of a local set shows beside its own, where there is one."""
    origin, scale = results.split("/")
    path = Path("results/published") / scale / "analyse/headline/comparisons.csv"
    return [str(path)] if figure == "differences" and origin == "local" and path.is_file() else []
