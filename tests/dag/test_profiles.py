"""The profiles of one machine: how many GPUs each lets jobs have, and what the jobs then get."""

from dataclasses import replace

import pytest
import yaml
from support.clones import planned
from support.gpu_machines import TRAININGS, asked, with_gpus, with_resources, with_stages
from support.places import ROOT

from experiments.scales import PAPER_4B, SCALES
from uniapl.config import check_scale
from uniapl.config.resources import QWEN3_600M_H100, STAGES, Resources
from uniapl.config.runs import Runs
from uniapl.costs.jobs import by_stage
from uniapl.dag.snakemake import request
from uniapl.errors import UserError

LOCAL = ("default", "gpu1", "gpu8")
CLUSTERS = {profile: f"snakemake_executor_plugin_{profile}" for profile in ("slurm", "kubernetes")}
PROFILES = sorted(path.parent.name for path in ROOT.glob("profiles/*/config.yaml"))


def settings(profile: str) -> dict:
    return yaml.safe_load((ROOT / f"profiles/{profile}/config.yaml").read_text())


def test_every_profile_repeats_what_a_replaced_one_says():
    """Snakemake loads one profile: a key left out is its own default, which may retrain everything."""
    common = {"scheduler", "rerun-incomplete", "rerun-triggers", "show-failed-logs", "keep-going"}
    assert sorted((*LOCAL, *CLUSTERS)) == PROFILES
    assert all(settings(profile)["shared-fs-usage"] == settings("default")["shared-fs-usage"] for profile in LOCAL)
    for profile in PROFILES:
        assert {key: settings(profile)[key] for key in common} == {key: settings("default")[key] for key in common}


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_grants_what_it_has_of_what_the_scale_asks_for(profile, clone):
    """The dry run of paper_4b, whose trainings and teacher ask for eight GPUs, on a machine with three."""
    if plugin := CLUSTERS.get(profile):
        pytest.importorskip(plugin, reason="not installed: `make cluster` installs the plugins")
    granted = {"default": 3, "gpu1": 1}.get(profile, 8)
    with_gpus(clone, 3)
    code, printed = clone.snakemake("-n", "--workflow-profile", f"profiles/{profile}", "--config", "scale=paper_4b")
    assert code == 0, printed
    assert asked(printed, "teach") == {f"gpu={granted}, gpus_asked=8, runtime=720, mem_mb=256000"}
    assert asked(printed, "train") == {f"gpu={granted}, gpus_asked=8, runtime=1440, mem_mb=512000"}
    assert asked(printed, "generate") == {"gpu=1, gpus_asked=1, runtime=240, mem_mb=96000"}
    assert asked(printed, "score") == {"gpu=0, gpus_asked=0, runtime=60, mem_mb=8000"}
    runs, stages = Runs(PAPER_4B), ("teach", "train", "generate", "suite")
    jobs, in_the_plan = planned(printed), by_stage(runs, runs.default)
    assert [jobs[stage] for stage in stages] == [in_the_plan[stage] for stage in stages]


def test_a_scale_without_gpus_asks_no_machine_for_its_gpus(clone):
    clone.tool("nvidia-smi", f"> {clone.bin.parent}/called")
    for profile in LOCAL:
        code, printed = clone.snakemake("-n", "--workflow-profile", f"profiles/{profile}", "--config", "scale=smoke")
        assert code == 0 and asked(printed, "train") == {"gpu=0, gpus_asked=0, runtime=60, mem_mb=4000"}
    assert not (clone.bin.parent / "called").exists()


def test_gpus_of_the_command_line_come_before_those_of_the_machine(clone):
    with_resources(clone, "{'train': Resources(gpus=4)}")
    with_gpus(clone, 3)
    code, printed = clone.snakemake("-n", "--resources", "gpu=2", "--config", "scale=smoke")
    assert code == 0 and "gpu=2, gpus_asked=4" in asked(printed, "train").pop()


def train_only(clone, profile: str, **machine) -> tuple[int, str, list[str]]:
    """Run the trainings that need no other, with stand-ins for the stages; what each of them saw."""
    log = with_stages(clone, **machine)
    code, printed = clone.snakemake(*TRAININGS, "--workflow-profile", profile, "--config", "scale=smoke")
    return code, printed, sorted(log.read_text().splitlines())


def test_jobs_run_on_leased_gpus_and_know_that_they_got_fewer_than_asked(clone):
    with_resources(clone, "{'train': Resources(gpus=2)}")
    code, printed, seen = train_only(clone, "profiles/gpu1", gpus=1)
    assert code == 0, printed
    assert seen == ["[0] 1 of 2", "[0] 1 of 2"]


def test_jobs_of_a_scale_without_gpus_see_none(clone):
    code, printed, seen = train_only(clone, "profiles/gpu8", gpus=8)
    assert code == 0, printed
    assert seen == ["[] 0 of 0", "[] 0 of 0"]


def test_a_training_that_keeps_failing_is_tried_five_times_with_more_memory_and_the_other_one_ends(clone):
    with_resources(clone, "{'train': Resources(gpus=1, memory_gb=10, minutes=30)}")
    fails = 'case "$*" in *"uniapl train "*"--arm base "*) exit 1 ;; esac'
    code, printed, seen = train_only(clone, "profiles/gpu8", fails=fails, gpus=8)
    assert code != 0 and len(seen) == 5 + 1
    wanted = {f"runtime={30 * n}, mem_mb={10_000 * n}" for n in range(1, 6)}
    assert {line.split(", ", 2)[2] for line in asked(printed, "train")} == wanted
    assert (clone.folder / "results/local/smoke/train/discriminator/seed0/run.json").exists()  # keep-going


# What is asked for ----------------------------------------------------------------------------------


def test_a_retry_asks_for_more_memory_and_time_and_no_more_gpus():
    asked = request(lambda wildcards: Resources(gpus=2, memory_gb=7, minutes=30, cores=3))
    assert (asked["gpu"](None), asked["gpus_asked"](None)) == (2, 2)
    assert [asked["mem_mb"](None, attempt) for attempt in (1, 2, 3)] == [7000, 14000, 21000]
    assert [asked["runtime"](None, attempt) for attempt in (1, 2, 3)] == [30, 60, 90]


def test_the_request_for_the_paper_names_every_stage_and_the_default_is_a_cpu():
    assert set(QWEN3_600M_H100) == set(STAGES)
    on_gpus = {stage for stage, needs in QWEN3_600M_H100.items() if needs.gpus}
    assert on_gpus == {"teach", "train", "generate", "suite", "converse"}
    assert Runs(SCALES[0]).needs("train") == Resources(gpus=0, cores=1)


@pytest.mark.parametrize("wrong", [{"gpus": -1}, {"memory_gb": 0}, {"minutes": 0}, {"cores": 0}])
def test_a_request_for_less_than_nothing_is_refused(wrong):
    with pytest.raises(ValueError, match="asks for less than nothing"):
        Resources(**wrong)


def test_resources_of_an_unknown_stage_are_refused_with_the_nearest_name():
    scale = replace(SCALES[0], resources={"trian": Resources()})
    with pytest.raises(UserError, match="stage in the resources of scale 'smoke' 'trian'.*did you mean 'train'"):
        check_scale(scale)
