"""Figures alone: what a fresh clone draws from results that are there, without planning a training."""

import os
import re
import shutil

import pytest
from support.clones import Clone, asking, planned, refused
from support.synthetic_results import experiment, write

from uniapl.config.figures import figures_of, needs_of_figures
from uniapl.config.names import MAIN
from uniapl.dag.snakemake import plots_only
from uniapl.dag.targets import drawable
from uniapl.errors import UserError

OF_HEADLINE = figures_of(["headline"])
DRAWINGS = {f"{name}{suffix}" for name in OF_HEADLINE for suffix in (".pdf", ".png", ".txt")}
CONDA = """echo "$@" >> "{log}"
case "$1 $2" in
  "info --json") echo '{{"conda_prefix": "{base}", "platform": "linux-64"}}' ;;
  "config --get") echo '{{"get": {{"channel_priority": "strict"}}}}' ;;
  "env create") while [ "$1" != --prefix ]; do shift; done; {mkdir} -p "$2/bin" ;;
  "--version "*) echo "conda 26.7.0" ;;
esac"""


@pytest.fixture(scope="session")
def analysis(tmp_path_factory):
    """A small set of tables, as the stage analyse writes them."""
    return write(experiment(n=9, seeds=2, seed=0), tmp_path_factory.mktemp("analysis"))


def publish(clone: Clone, analysis, results: str = "published/tiny") -> None:
    """Put the tables in the clone's results, older than every other file."""
    folder = clone.folder / "results" / results / "analyse/headline"
    shutil.copytree(analysis, folder)
    for path in folder.iterdir():
        os.utime(path, (0, 1_000_000_000))


def edit_sources(clone: Clone) -> None:
    """Change every module that has to do with training, so that each is the newest file."""
    for folder in ("uniapl", "baselines", "experiments"):
        for path in (clone.folder / folder).rglob("*.py"):
            path.write_text(path.read_text() + "# edited\n")


def test_figures_plan_no_training_although_every_source_is_newer_than_the_results(clone, analysis):
    publish(clone, analysis)
    publish(clone, analysis, "local/tiny")
    edit_sources(clone)
    for target in ("figures", "figures/"):
        code, printed = clone.snakemake("-n", target)
        assert code == 0 and planned(printed) == {"figure": 2 * len(OF_HEADLINE), target: 1}
    whole = planned(clone.snakemake("-n", "--config", "scale=tiny")[1])
    assert whole["train"] > 0  # the same files, asked for everything


def test_figures_are_drawn_from_published_results_on_a_fresh_clone(clone, analysis):
    publish(clone, analysis)
    before = clone.files()
    figure = "figures/out/published/tiny/scores.pdf"
    code, printed = clone.snakemake(figure, "--use-conda")
    assert code == 0 and (clone.folder / figure).read_bytes().startswith(b"%PDF"), printed
    assert "no conda executable: --use-conda ignored, rules run in the active environment" in printed
    after = clone.files()
    assert {name: after[name] for name in before} == before  # figures/*.py and results stay as they are
    assert not [x for x in after.keys() - before.keys() if not x.startswith("figures/out/published/tiny/")]

    code, printed = clone.snakemake("--report", "report.html", figure)
    assert code == 0 and "Figure <em>scores</em> of the set" in (clone.folder / "report.html").read_text(), printed

    edit_sources(clone)
    clone.write("experiments/extra.py", asking("agains=()"))  # a mistake there is none here
    assert planned(clone.snakemake("-n", figure)[1]) == {}
    for edited, drawn in (("curves", 0), ("points", 1)):  # scores imports points, and no other figure
        with open(clone.folder / f"figures/{edited}.py", "a") as file:
            file.write("# edited\n")
        assert planned(clone.snakemake("-n", figure)[1]) == ({"figure": 1} if drawn else {})


def test_a_run_that_draws_figures_alone_holds_the_lock_that_make_waits_for(clone, analysis):
    publish(clone, analysis)
    log = clone.bin.parent / "lock.log"
    clone.tool("flock", f'exec {shutil.which("flock")} "$@"')
    clone.tool("python", f"exec 9>.snakemake.lock; (flock --nonblock 9 && echo free || echo held) >> {log}; exit 1")
    _, printed = clone.snakemake("figures/out/published/tiny/scores.pdf")
    assert log.is_file() and log.read_text().split() == ["held"], printed


@pytest.mark.slow
def test_every_figure_is_drawn_by_one_word_from_published_and_local_results(clone, analysis):
    publish(clone, analysis)
    publish(clone, analysis, "local/smoke")
    code, printed = clone.snakemake("figures/")
    assert code == 0, printed
    out = clone.folder / "figures/out"
    found = {str(path.relative_to(out)) for path in out.rglob("*.???") if path.suffix != ".log"}
    assert found == {f"{s}/{name}" for s in ("published/tiny", "local/smoke") for name in DRAWINGS}
    assert planned(clone.snakemake("-n", "figures/")[1]) == {}


def test_a_figure_is_drawn_where_all_analyses_that_it_reads_exist(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    reads_two = next(name for name, needed in needs_of_figures().items() if len(needed) > 1)
    *first, last = needs_of_figures()[reads_two]
    for analysis in (
        f"published/tiny/analyse/{needs_of_figures()[reads_two][0]}",
        *(f"local/smoke/analyse/{e}" for e in first),
    ):
        (tmp_path / "results" / analysis).mkdir(parents=True)
        (tmp_path / "results" / analysis / "main.csv").touch()
    assert not [path for path in possibly_drawable() if path.endswith(reads_two)]
    (tmp_path / "results/local/smoke/analyse" / last).mkdir(parents=True)
    assert not [path for path in possibly_drawable() if path.endswith(reads_two)]  # no main.csv yet
    (tmp_path / "results/local/smoke/analyse" / last / "main.csv").touch()
    assert [path for path in drawable() if path.endswith(reads_two)] == [f"local/smoke/{reads_two}"]
    for other in drawable():
        assert set(needs_of_figures()[other.split("/")[2]]) <= {*first, last}


def possibly_drawable() -> list[str]:
    try:
        return drawable()
    except UserError:
        return []


def test_without_any_results_figures_say_so_in_one_line(clone):
    line = refused(clone, "figures/")
    assert "no figure to draw" in line and f"results/published/*/{MAIN}" in line


def test_figures_and_other_targets_at_once_are_refused_in_one_line(clone, analysis):
    publish(clone, analysis)
    assert "figures never train" in refused(clone, "-n", "all", "figures/")
    with pytest.raises(
        UserError, match="ask for figures alone, or for results/local/tiny/tables/headline/main.csv alone"
    ):
        plots_only(["--cores", "1", "figures", "results/local/tiny/tables/headline/main.csv"])


@pytest.mark.parametrize(
    "line, alone",
    [
        ("figures/", True),
        ("-n ./figures/", True),
        ("figures/out/local/tiny/scores.pdf --cores 2 --quiet all", True),
        ("figures figures/ --use-conda", True),
        ("-R figures", False),
        ("--until figures", False),
        ("all", False),
        ("", False),
        ("--configfile figures/x.yaml", False),
    ],
)
def test_only_targets_count_as_targets(line, alone):
    assert plots_only(line.split()) is alone


# Conda --------------------------------------------------------------------------------------------


def test_use_conda_with_a_conda_keeps_the_flag_and_installs_the_lock(clone, analysis):
    publish(clone, analysis)
    base, log = clone.bin.parent / "conda", clone.bin.parent / "conda.log"
    clone.tool("conda", CONDA.format(log=log, base=base, mkdir=shutil.which("mkdir")))
    code, printed = clone.snakemake("-n", "figures/", "--use-conda")
    assert code == 0 and "--use-conda ignored" not in printed
    assert planned(printed)["figure"] == len(OF_HEADLINE) and "info --json" in log.read_text()

    (base / "bin").mkdir(parents=True)
    (base / "bin/activate").write_text(f'echo "activate" >> "{log}"\n')
    clone.tool("python", f'echo "python $@ in $PWD" >> "{log}"')
    clone.tool("env", 'exec "$@"')
    script = clone.folder / "envs/uniapl.post-deploy.sh"
    script.write_text(script.read_text().replace("/usr/bin/env", f"{clone.bin}/env"))
    code, printed = clone.snakemake("figures/", "--use-conda", "--conda-create-envs-only")
    assert code == 0, printed
    *_, activate, install, small = log.read_text().splitlines()
    assert "env create" in log.read_text() and activate == "activate"
    assert re.fullmatch(rf"python -m pip install .*requirements\.lock in {clone.folder}", install)
    assert re.fullmatch(rf"python -m pip install .*--require-hashes .*envs/small\.txt in {clone.folder}", small)
