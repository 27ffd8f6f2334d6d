"""The commands of a user in a fresh clone: what they plan, what they never plan, and how they refuse."""

import os
import re
import shutil
import subprocess
import sys
import time

import pytest
from support.clones import asking, planned, refused
from support.places import ROOT

from experiments.scales import SCALES
from uniapl.config import experiments_of, load_experiment, load_scale
from uniapl.config.figures import needs_of_figures
from uniapl.config.names import GENERAL
from uniapl.config.runs import Runs
from uniapl.costs import jobs
from uniapl.dag import snakemake as workflow
from uniapl.dag.snakemake import check_targets, choose_scale, compute_share, drawn, where_to_look
from uniapl.errors import UserError

BUILT = [scale.name for scale in SCALES if scale.kind == "miniature"]


def outputs(printed: str, folder: str = "") -> list[str]:
    """The files that a dry run would make, in a folder of the scale's results; a batch's file once for each seed."""
    lines = re.findall(r"^    output: (.*)", printed, re.MULTILINE)
    names = [name for line in lines for name in line.split(", ") if re.match(rf"results/local/\w+/{folder}", name)]
    batches = {name: re.fullmatch(r"(.*/)seeds_(.*)\.done", name) for name in names}
    return [
        each
        for name, batch in batches.items()
        for each in ([f"{batch[1]}seed{seed}/done" for seed in batch[2].split("_")] if batch else [name])
    ]


# Everything ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", BUILT)
def test_the_first_line_announces_scale_reason_time_and_the_number_of_jobs_of_the_dag(scale, dry_run):
    first, announced, warned, *_ = dry_run(scale).splitlines()
    assert first.startswith("Using workflow specific profile")  # Snakemake's own
    n = sum(planned(dry_run(scale)).values())
    assert announced.startswith(f"scale {scale} (asked for): {n} jobs in all, {load_scale(scale).minutes} on ")
    n = sum(planned(dry_run(scale, "extended")).values())
    assert re.search(rf"; {n} in extended; this run has \d+ core\(s\)$", announced)
    assert warned == "no conda executable: --use-conda ignored, rules run in the active environment"


@pytest.mark.parametrize("target", ["default", "extended"])
@pytest.mark.parametrize("scale", [*BUILT, "small", "rehearsal"])
def test_jobs_are_counted_by_stage_as_the_rules_make_them(scale, target, dry_run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # without published results, as the clone
    runs = Runs(load_scale(scale))
    name = {"default": "all"}.get(target, target)
    counted = jobs.by_stage(runs, getattr(runs, target))
    counted = {{"figures": "figure", "target": name}.get(stage, stage): n for stage, n in counted.items()}
    assert counted == planned(dry_run(scale, *([] if name == "all" else [name])))


def test_a_stage_is_a_name_for_until(clone):
    code, printed = clone.snakemake("-n", "--until", "score", "--config", "scale=smoke")
    assert code == 0 and {"train", "generate", "score"} <= planned(printed).keys(), printed
    assert "analyse" not in planned(printed)


@pytest.mark.parametrize("scale", BUILT)
def test_a_run_writes_only_its_own_local_results(scale, dry_run):
    outputs = re.findall(r"^    output: (.*)", dry_run(scale), re.MULTILINE)
    own = (f"results/local/{scale}/", f"figures/out/local/{scale}/")
    assert outputs and all(name.startswith(own) for line in outputs for name in line.split(", "))


@pytest.mark.parametrize("target, extended", [((), False), (("extended",), True)])
@pytest.mark.parametrize("scale", BUILT)
def test_a_target_has_the_tables_and_figures_of_its_experiments_and_no_others(scale, target, extended, dry_run):
    asked = [e for e in experiments_of(load_scale(scale)) if e.split == "test"]
    waits = {e.name for e in asked if e.extended} | {*load_scale(scale).extended}
    wanted = {e.name for e in asked} - (set() if extended else waits)
    made = re.findall(r"results/local/\w+/tables/(\w+)/main.csv", "\n".join(outputs(dry_run(scale, *target))))
    assert sorted(made) == sorted(wanted) and "headline" in wanted
    drawn = re.findall(rf"figures/out/local/{scale}/(\w+).pdf", dry_run(scale, *target).split("rule all:")[0])
    assert {name for name, needed in needs_of_figures().items() if set(needed) <= wanted} == set(drawn)


@pytest.mark.parametrize("scale", BUILT)
def test_every_arm_is_trained_and_evaluated_once_per_seed_and_the_sft_checkpoint_serves_two_arms(scale, dry_run):
    printed = dry_run(scale)
    trainings = re.findall(r"^rule train:\n    input: (.*)\n    output: (\S+), ", printed, re.MULTILINE)
    starts = {output: inputs.split(", ") for inputs, output in trainings}
    assert len(starts) == len(trainings)
    runs = Runs(load_scale(scale))
    root, seeds = f"results/local/{scale}/train", runs.scale.seeds
    arms = [(arm.name, seed) for arm in load_experiment("headline").arms for seed in seeds]
    wanted = {f"{root}/{arm}/seed{seed}/run.json" for arm, seed in (*arms, ("base", 0), ("discriminator", 0))}
    assert wanted <= starts.keys()
    for seed in seeds:
        sft = f"{root}/sft/seed{seed}/run.json"
        assert f"{root}/sft_then_grpo/seed{seed}/run.json" in [run for run in starts if sft in starts[run]]
    evaluated = {pair for name in runs.default for pair in runs.evaluated(name)}
    for stage in ("generate", "score"):
        wanted = [f"results/local/{scale}/{stage}/test/{arm}/seed{seed}/done" for arm, seed in evaluated]
        assert sorted(outputs(printed, f"{stage}/")) == sorted(wanted)
        assert planned(printed)[stage] == len({arm for arm, _ in evaluated})  # one process per arm


def test_multi_if_is_part_of_both_targets_where_the_data_are_published(dry_run):
    wanted = [f"results/local/rehearsal/converse/{arm}/seed0.{end}" for arm in GENERAL for end in ("csv", "jsonl")]
    for target in ((), ("extended",)):
        printed = dry_run("rehearsal", *target)
        assert sorted(outputs(printed, "converse/")) == sorted(wanted)
        announced = {"all": r"(\d+) jobs in all", "extended": r"(\d+) in extended"}[target[0] if target else "all"]
        assert int(re.search(announced, printed)[1]) == sum(planned(printed).values())
    assert "converse" not in planned(dry_run("smoke"))


def test_experiments_share_trainings_and_an_extended_one_adds_only_its_own(clone):
    """smoke has seed 0; `more` asks a shared arm for seeds 0 and 1, the extended `most` for 2 as well."""
    sft = "Arm('sft', sft)"
    clone.write("experiments/more.py", asking(f"arms=({sft},), against=(), seeds=(0, 1)", "more"))
    chained = "Arm('sft_twice', sft, start='sft')"
    most = asking(f"arms=({sft}, {chained}), against=(), seeds=(0, 1, 2), extended=True", "most")
    clone.write("experiments/most.py", most)

    def of_extra(printed: str, folder: str) -> set[str]:
        found = re.findall(r"/(sft(?:_twice)?/seed\d)/\w", "\n".join(outputs(printed, folder)))
        return set(found) - {"sft/seed0"}

    seen = {}
    for target in ("all", "extended"):
        code, seen[target] = clone.snakemake("-n", target, "--config", "scale=smoke")
        assert code == 0, seen[target]
        announced = re.search(r"(\d+) jobs in all, .*; (\d+) in extended; ", seen[target])
        assert int(announced[1 + (target == "extended")]) == sum(planned(seen[target]).values())
    for folder in ("train/", "generate/test/", "score/test/"):
        assert of_extra(seen["all"], folder) == {"sft/seed1"}
        twice = {f"sft_twice/seed{seed}" for seed in range(3)}
        assert of_extra(seen["extended"], folder) == {"sft/seed1", "sft/seed2"} | twice
    assert "generate/test/sft/seeds_0_1.done" in seen["all"]  # both seeds in one process
    assert planned(seen["extended"])["generate"] - planned(seen["all"])["generate"] >= 2
    assert "tables/more/" in seen["all"] and "tables/most/" not in seen["all"] and "tables/most/" in seen["extended"]


def test_a_start_of_other_trainings_is_trained_before_the_rest(dry_run):
    trainings = re.findall(
        r"^rule train:(?:\n    .*)*?\n    wildcards: scale=tiny, arm=(\w+), seed=\d\n    priority: (\d)",
        dry_run("tiny"),
        re.MULTILINE,
    )
    priority = {arm: int(n) for arm, n in trainings}
    assert priority["base"] > priority["sft"] > priority["sft_then_grpo"] == priority["uniapl"] >= 1
    assert not re.search(r"^rule generate(?:\n    .*)*\n    priority:", dry_run("tiny"), re.MULTILINE)


@pytest.mark.parametrize("world, offline", [("scale.world", "1"), ("PAPER.world, shared=PAPER.shared", "unset")])
def test_only_a_miniature_world_keeps_hubs_out(world, offline, clone):
    scales = clone.folder / "experiments/scales.py"
    # a public world compares with models that are fetched, and asks methods that the scale lists as it lists GRPO
    asked = "{method: scale.settings[grpo] if of is RL_PAPER else of for method, of in PAPER.settings.items()}"
    listed = f"{{**{asked}, **scale.settings}}"
    scales.write_text(
        scales.read_text() + f"SCALES = [replace(scale, world={world}, settings={listed}) for scale in SCALES]\n"
    )
    log = clone.bin.parent / "offline.log"
    clone.tool("python", f'echo "${{HF_HUB_OFFLINE-unset}}" >> {log}; exit 1')
    _, printed = clone.snakemake("results/local/smoke/train/base/seed0/run.json", "--config", "scale=smoke")
    assert log.is_file() and log.read_text().split() == [offline], printed


def test_a_run_that_snakemake_started_holds_the_lock_that_make_waits_for(clone):
    log = clone.bin.parent / "lock.log"
    clone.tool("flock", f'exec {shutil.which("flock")} "$@"')
    clone.tool("python", f"exec 9>.snakemake.lock; (flock --nonblock 9 && echo free || echo held) >> {log}; exit 1")
    clone.snakemake("results/local/smoke/data/summary.json", "--config", "scale=smoke")
    assert log.read_text().split() == ["held"]


STAGE = """all="$*"; out=" ${{all##*--out }} "  # every stage names its outputs last
while read -r file; do
  case "$out" in *" $file "* | *" ${{file%/*}} "*) echo made > "$file" ;; esac
done < {outputs}"""


def test_an_edited_arm_is_trained_again_with_those_that_start_from_it_and_no_other(clone):
    def ask(steps: int) -> None:
        arms = (
            f"Arm('long', sft, changes={{'steps': {steps}}}), "
            "Arm('long_then_grpo', grpo, start='long'), Arm('other', grpo)"
        )
        clone.write("experiments/extra.py", asking(f"arms=({arms}), against=(), seeds=(3, 4)"))

    def plan() -> tuple[str, dict[str, int], set[str]]:
        code, printed = clone.snakemake("-n", *target)
        assert code == 0, printed
        trained = re.findall(r"^    output: \S+/train/(\w+/seed\d)/", printed, re.MULTILINE)
        return printed, planned(printed), set(trained)

    target = ("results/local/tiny/analyse/extra/main.csv", "--config", "scale=tiny")
    ask(steps=7)
    printed, planned_jobs, trained = plan()
    arms = {f"{arm}/seed{seed}" for arm in ("long", "long_then_grpo") for seed in (3, 4)}
    bases = {f"base/seed{seed}" for seed in range(5)}  # one process evaluates all that any experiment needs
    assert trained == arms | bases | {f"{arm}/seed{seed}" for arm in ("other", "discriminator") for seed in (3, 4)}
    assert planned_jobs == {"data": 5, "train": 13, "generate": 4, "score": 4, "analyse": 1}

    listed = clone.bin.parent / "outputs.txt"
    listed.write_text("".join(f"{name}\n" for name in outputs(printed) if not name.endswith("/done")))
    clone.tool("python", STAGE.format(outputs=listed))
    code, printed = clone.snakemake(*target)
    assert code == 0 and "of wall time x cores in training and generation" in printed, printed
    code, printed = clone.snakemake("-n", *target, "polar=http://another.host:30000")
    assert code == 0 and planned(printed) == {}, printed  # where a server runs changes nothing

    ask(steps=8)
    assert plan()[1:] == ({"train": 4, "generate": 2, "score": 2, "analyse": 1}, arms)

    ask(steps=7)
    clone.write("uniapl/checkers/ifeval.py", (clone.folder / "uniapl/checkers/ifeval.py").read_text() + "# edited\n")
    assert plan()[1:] == ({"score": 4, "analyse": 1}, set())


def test_the_scale_is_paper_where_a_gpu_is_visible_and_tiny_elsewhere(clone, monkeypatch):
    monkeypatch.setenv("PATH", str(clone.bin))
    monkeypatch.setattr(workflow, "load_scale", lambda name: name)
    assert choose_scale({}) == ("tiny", "no NVIDIA GPU is visible")
    clone.tool("nvidia-smi", "echo 'No devices were found'; exit 6")
    assert choose_scale({})[0] == "tiny"
    clone.tool("nvidia-smi", "echo 'GPU 0: NVIDIA H200 (UUID: GPU-0)'")
    assert choose_scale({}) == ("paper", "an NVIDIA GPU is visible")
    assert choose_scale({"scale": "smoke"}) == ("smoke", "asked for")


def test_linters_find_nothing_in_the_snakefile(clone):
    code, printed = clone.snakemake("--lint", "--config", "scale=tiny")
    assert code == 0 and "in a good condition" in printed
    assert "WARNING" not in printed and "not present in the Snakefile" not in printed
    snakefmt = [sys.executable, "-m", "snakefmt", "--check", "Snakefile", "workflow/rules"]
    assert subprocess.run(snakefmt, cwd=ROOT, capture_output=True).returncode == 0


# Bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "setting, message",
    [
        ("scale=tinny", r"unknown scale 'tinny': known are .*tiny.*; did you mean 'tiny'\?"),
        ("scal=tiny", r"unknown --config key 'scal': known are .*scale.*; did you mean 'scale'\?"),
        ("scale=paper", r"scale paper needs 8 GPU\(s\) and none is visible: .+--config scale=tiny"),
    ],
)
def test_an_unknown_scale_or_one_without_its_gpus_is_one_line(setting, message, clone):
    assert re.search(message, refused(clone, "--use-conda", "--config", setting))


@pytest.mark.parametrize(
    "text, message",
    [
        ("arms=(Arm('x', grpo, start='stf'),), against=()", "unknown arm 'stf'.*mean 'sft'"),
        (
            "arms=(Arm('x', sft, changes={'stepz': 1}),), against=()",
            "in arm 'x' 'stepz'.*'steps'",
        ),
    ],
)
def test_a_mistake_in_an_experiment_file_is_one_line(text, message, clone):
    clone.write("experiments/extra.py", asking(text))
    assert re.search(message, refused(clone, "--config", "scale=tiny"))


# The share of the time that is the experiment -----------------------------------------------------


def benchmark(folder, name: str, *seconds: float) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("s\th:m:s\n" + "".join(f"{s}\t0:00:00\n" for s in seconds))


def test_the_share_is_training_and_generation_over_wall_time_and_cores(tmp_path, monkeypatch):
    benchmark(tmp_path, "train/sft/seed0.tsv", 60)
    benchmark(tmp_path, "train/sft/seed1.tsv", 50, 10)
    benchmark(tmp_path, "generate/test_0_1/sft.tsv", 30)
    benchmark(tmp_path, "score/test_0_1/sft.tsv", 20)
    benchmark(tmp_path, "data.tsv", 5)
    benchmark(tmp_path, "train/grpo/seed0.tsv", 1000)  # of an earlier run
    os.utime(tmp_path / "train/grpo/seed0.tsv", (0, 0))
    started = time.time() - 50
    monkeypatch.setattr(workflow.time, "time", lambda: started + 100)
    # 60 + 50 + 10 + 30 = 150 of 100 s x 2 cores
    assert compute_share(str(tmp_path), started, 2) == (
        "100 s on 2 core(s): 75 % of wall time x cores in training and generation "
        "(train 120 s, generate 30 s, other 25 s)"
    )
    assert compute_share(tmp_path, started + 1000, 2) == ""
    assert compute_share(tmp_path / "nowhere", started, 2) == ""


@pytest.mark.parametrize(
    "target, line",
    [
        (
            "headline",
            "headline: is an experiment; its tables are the target results/local/smoke/tables/headline/main.md",
        ),
        ("train", "train: is a stage: `--until train` ends a run with it; targets are its files"),
    ],
)
def test_a_word_that_is_no_target_says_what_to_type(target, line):
    with pytest.raises(UserError) as error:
        check_targets(Runs(load_scale("smoke")), [target])
    assert str(error.value) == line


def test_targets_and_files_are_no_such_words(clone):
    table = "results/local/smoke/tables/headline/main.md"
    check_targets(Runs(load_scale("smoke")), ["all", "extended", "tuning", "publish", table])
    assert refused(clone, "-n", "headline", "--config", "scale=smoke").endswith(f"its tables are the target {table}")
    code, printed = clone.snakemake("-n", table, "--config", "scale=smoke")
    assert code == 0 and planned(printed)["tables"] == 1, printed


def test_the_choice_of_settings_at_the_papers_scale_is_planned_with_what_it_needs_and_no_more(clone):
    """Each candidate once, the SFT that two start from, and the base to hold them against; no suite, no other seed."""
    code, printed = clone.snakemake("-n", "tuning", "--config", "scale=paper")
    assert code == 0, printed
    once = dict.fromkeys(("prompts", "weights", "teach", "data", "analyse", "tuning"), 1)
    assert planned(printed) == {**once, "fetch": 2, "train": 17 + 1, "generate": 17 + 1, "score": 17 + 1}
    assert set(re.findall(r"wildcards: .*arm=(?!base|disc).*seed=(\d+)", printed)) == {"100"}


def test_a_run_that_draws_figures_alone_ends_with_where_they_are(tmp_path):
    assert drawn(tmp_path) == ""
    for place, n in (("local/smoke", 1), ("published/tiny", 2)):
        (tmp_path / place).mkdir(parents=True)
        for i in range(n):
            (tmp_path / place / f"{i}.pdf").touch()
    assert drawn(tmp_path) == f"figures  1 in {tmp_path}/local/smoke\nfigures  2 in {tmp_path}/published/tiny"


def test_the_last_lines_of_a_run_say_where_its_results_are_and_what_to_do_next(tmp_path):
    runs = Runs(load_scale("smoke"))
    assert where_to_look(runs, tmp_path) == ""
    (tmp_path / "smoke").mkdir()
    (tmp_path / "smoke/report.html").write_text("<p>")
    said = where_to_look(runs, tmp_path)
    assert said.startswith(f"report   {tmp_path}/smoke/report.html") and f"{tmp_path}/smoke/tables/*/main.md" in said
    assert "-- extended" in said and "-- publish" in said
    (tmp_path / "smoke/report_extended.html").write_text("<p>")
    assert "-- extended" not in where_to_look(runs, tmp_path)
