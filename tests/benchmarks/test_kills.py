"""Kills in the middle of `make reproduce SCALE=smoke`: how the benchmark finds its victims, and five of the kills."""

import signal
import subprocess
import sys

import pytest

from benchmarks import kills

COMMANDS = {
    1: "make reproduce SCALE=smoke",
    2: "flock .snakemake.lock bash -c [ -z ... ] || snakemake --unlock; exec snakemake --cores all",
    3: "/env/bin/python /env/bin/snakemake --cores all --use-conda --config scale=smoke",
    4: "/bin/bash -c set -euo pipefail; python -m uniapl lease -n 0 -- python -m uniapl train --arm sft > log",
    5: "python -m uniapl train --scale smoke --arm sft",
    6: "python -m uniapl lease -n 1 --asked 1 -- python -m uniapl generate --scale smoke",
    7: "python -m figures.mu --results results/local/smoke",
    8: "/env/bin/python /env/bin/snakemake --unlock --config scale=smoke --quiet all",
}


def test_jobs_and_the_leader_are_told_from_the_shells_around_them():
    assert kills.jobs(COMMANDS) == {5: "train", 6: "generate", 7: "mu"}
    assert [pid for pid, line in COMMANDS.items() if kills.is_leader(line)] == [3]


def test_what_an_unfinished_job_leaves_is_seen(tmp_path):
    results = tmp_path / "results/local/smoke"
    (results / "train/sft/seed0/state").mkdir(parents=True)
    (results / "score").mkdir()
    (results / "score/.greedy.csv.7.part").touch()
    (results / "score/greedy.csv").touch()
    (tmp_path / ".snakemake/locks").mkdir(parents=True)
    (tmp_path / ".snakemake/locks/0.input.lock").touch()
    assert sorted(kills.left_behind(tmp_path)) == [
        ".snakemake/locks/0.input.lock",
        "results/local/smoke/score/.greedy.csv.7.part",
        "results/local/smoke/train/sft/seed0/state",
    ]


def test_a_table_that_differs_or_a_file_that_is_left_is_no_good_trial():
    good = kills.Trial("leader", 0, 1.0, ["train"], 2, -9, 0, 9.0, [], [])
    bad = kills.Trial("group", 0, 1.0, ["train"], 0, -9, 0, 9.0, ["tables/x.csv"], [])
    assert good.good and not bad.good and kills.table([good, bad]).endswith("1 of 2 good.")


def test_tables_are_compared_without_what_no_two_runs_share(tmp_path):
    folder = tmp_path / "results/local/smoke/tables/headline"
    folder.mkdir(parents=True)
    (folder / ".main.csv.sha256").write_text("of this run")
    (folder / "summary.csv").write_text("arm,seconds\ngrpo,2.5\n")
    for name in ("main.csv", "main.md", "cost.md", "summary.tex"):
        (folder / name).write_text(name)
    (folder / "cost.csv").write_text("arm,seconds,peak_memory_mb,energy_wh,rollouts\nsft,1.5,9,,0\n")
    assert kills.tables(tmp_path) == {
        "tables/headline/cost.csv": b"arm,rollouts\nsft,0\n",
        "tables/headline/main.csv": b"main.csv",
        "tables/headline/main.md": b"main.md",
        "tables/headline/summary.csv": b"arm\ngrpo\n",
    }


def test_a_run_that_hangs_is_ended_and_no_good_trial(tmp_path):
    run = subprocess.Popen(["sleep", "60"], cwd=tmp_path)
    assert kills.ended(run, tmp_path, limit=0.1) == -signal.SIGKILL


def test_an_environment_that_make_would_build_anew_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "env"))
    with pytest.raises(SystemExit, match="not of `make venv`"):
        kills.copy(tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_after_each_of_five_kills_one_more_command_ends_with_the_tables_of_an_undisturbed_run(tmp_path):
    duration = kills.reference(tmp_path)
    for number in range(5):
        kind = kills.KINDS[number % len(kills.KINDS)]
        trial = kills.killed(kind, number // len(kills.KINDS), tmp_path, duration)
        assert trial.good, trial
