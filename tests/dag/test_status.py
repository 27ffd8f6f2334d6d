"""What a run is doing, from another terminal: Snakemake's log as numbers, the time left, a real run in its middle."""

import os
import shutil
import subprocess
import sys
import time
from datetime import datetime

import pytest
from support.clones import Clone

from uniapl.dag import runlog, status
from uniapl.errors import UserError

LOG = """Building DAG of jobs...
Job stats:
job         count
--------  -------
train           4
score           1
all             1
total           6

Select jobs to execute...
[Mon Nov 30 14:00:00 2026]
localrule train:
    input: results/local/tiny/data/summary.json
    log: results/local/tiny/logs/train/sft/seed0.log
    jobid: 3
    wildcards: scale=tiny, arm=sft, seed=0
[Mon Nov 30 14:00:00 2026]
rule train:
    log: results/local/tiny/logs/train/grpo/seed0.log
    jobid: 4
    wildcards: scale=tiny, arm=grpo, seed=0
[Mon Nov 30 14:01:00 2026]
Error in rule train:
    message: None
    jobid: 4
    log: results/local/tiny/logs/train/grpo/seed0.log (check log file(s) for error details)
[Mon Nov 30 14:01:40 2026]
Finished jobid: 3 (Rule: train)
1 of 6 steps (17%) done
[Mon Nov 30 14:01:40 2026]
localrule train:
    log: results/local/tiny/logs/train/uniapl/seed0.log
    jobid: 5
    wildcards: scale=tiny, arm=uniapl, seed=0
"""
AGAIN = """[Mon Nov 30 14:02:00 2026]
localrule train:
    log: results/local/tiny/logs/train/grpo/seed0.log
    jobid: 4
    wildcards: scale=tiny, arm=grpo, seed=0
"""
START = datetime(2026, 11, 30, 14).timestamp()


def test_a_log_is_jobs_with_their_state_times_and_names():
    run = runlog.read(LOG)
    assert run.planned == {"train": 4, "score": 1, "all": 1} and run.scale == "tiny" and run.begun == START
    assert [(job.name, job.state, job.seconds(START + 160)) for job in run.jobs.values()] == [
        ("train sft 0", "done", 100),
        ("train grpo 0", "failed", 60),
        ("train uniapl 0", "running", 60),
    ]
    assert run.waiting == {"train": 1, "score": 1, "all": 1}
    assert run.jobs["4"].log == "results/local/tiny/logs/train/grpo/seed0.log"


def test_a_job_that_is_tried_again_is_at_work_and_no_longer_failed():
    run = runlog.read(LOG + AGAIN)
    assert run.count("failed") == {} and run.count("running") == {"train": 2}


def test_the_time_left_is_that_of_jobs_to_come_and_at_work_over_those_at_a_time():
    """At 160 s 100 + 60 + 60 s of work were done, 1.375 jobs at a time. A training takes 100 s: of one 40 are left."""
    run, now = runlog.read(LOG), START + 160
    assert runlog.seconds_left(run, now, {}, {}) == (pytest.approx((40 + 100) / 1.375), {"score"})
    assert runlog.seconds_left(run, now, {"score": 11.0}, {}) == (pytest.approx((40 + 100 + 11) / 1.375), set())
    assert runlog.seconds_left(run, now, {}, {"5": 7.0})[0] == pytest.approx(107 / 1.375)
    said = "1 of 6 jobs done, 1 running, 1 failed, about 2 min left and score, whose time is not known yet"
    assert runlog.line(run, now, {}, {}) == said


def test_a_run_of_which_no_job_was_ever_timed_does_not_claim_to_be_nearly_done():
    first = runlog.read(LOG[: LOG.index("Finished jobid")])
    said = runlog.line(first, START + 50, {}, {})
    assert said.endswith(" running, 1 failed, left: score, train, whose time is not known yet")


def folder_of(tmp_path, log: str, **job_logs: str):
    """A folder in which Snakemake wrote this log, and jobs theirs."""
    path = tmp_path / ".snakemake/log/2026-11-30T140000.000000.snakemake.log"
    path.parent.mkdir(parents=True)
    path.write_text(log)
    for arm, text in job_logs.items():
        of_job = tmp_path / f"results/local/tiny/logs/train/{arm}/seed0.log"
        of_job.parent.mkdir(parents=True)
        of_job.write_text(text)
    return tmp_path


def test_what_failed_is_said_with_its_reason_and_the_exit_code_is_1(tmp_path, capsys):
    used = "model saved\nused: 99.0 s, 150.2 s of CPU, 1501 MB in the largest process\n"
    folder = folder_of(tmp_path, LOG, grpo="Loading\nerror: loss is nan at step 3 of 9\n", sft=used)
    with pytest.raises(SystemExit) as ended:
        status.main(["--folder", str(folder)])
    said = capsys.readouterr().out
    assert ended.value.code == 1
    assert "failed   train grpo 0: results/local/tiny/logs/train/grpo/seed0.log: error: loss is nan at step 3" in said
    assert "\n1 of 6 jobs done, 1 cut off, 1 failed\n" in said
    assert "cut off  train uniapl 0" in said and "continues it" in said  # nobody holds the lock
    assert "150 s" not in said and "3 min of CPU time in 1 finished jobs, at most 1,501 MB in one process" in said


def test_earlier_runs_say_how_long_a_rule_takes(tmp_path):
    timings = tmp_path / "results/local/tiny/timings/score"
    timings.mkdir(parents=True)
    for name, seconds in (("a", 3), ("b", 5)):
        (timings / f"{name}.tsv").write_text(f"s\th:m:s\n{seconds}.0\t0:00:03\n")
    (timings.parent / "teach.tsv").write_text("s\th:m:s\n7.0\t0:00:07\n")  # of a rule that has one job
    assert status.seconds_before(tmp_path, "tiny") == {"score": 4.0, "teach": 7.0}
    assert status.seconds_before(tmp_path, None) == {}


def test_a_run_of_the_rule_with_a_slash_in_its_name_is_seen_to_its_end(tmp_path):
    log = (
        LOG[LOG.index("Building") : LOG.index("train  ")]
        + """figures/        1
total           1

[Mon Nov 30 14:00:00 2026]
localrule figures/:
    jobid: 0
[Mon Nov 30 14:00:01 2026]
Finished jobid: 0 (Rule: figures/)
"""
    )
    said, well = status.report(folder_of(tmp_path, log), START + 9)
    assert well and ": finished\n1 of 1 jobs done, 0 running\n" in said


def test_a_folder_without_a_run_is_one_line(tmp_path):
    folder_of(tmp_path, "Nothing to be done\n")
    with pytest.raises(UserError, match="no run of Snakemake has written"):
        status.newest_log(tmp_path)


def test_in_the_middle_of_a_run_it_says_what_is_at_work_and_at_its_end_the_progress_is_in_a_file(clone: Clone):
    tools = {name: shutil.which(name) for name in ("sleep", "mkdir")}
    go, begun = clone.bin.parent / "go", clone.bin.parent / "begun"
    clone.tool(
        "python",
        f"""echo x >> {begun}
while [ ! -e {go} ]; do {tools["sleep"]} 0.05; done
all="$*"; out="${{all##*--out }}"
{tools["mkdir"]} -p "$out"
for name in train validation test expert corpus comparisons; do echo made > "$out/$name.jsonl"; done
{tools["mkdir"]} -p "$out/model"; echo made > "$out/summary.json"
echo 'step 5/10, 2.00 steps/s, 3 s left'""",
    )
    clone.tool("flock", f'exec {shutil.which("flock")} "$@"')
    target = ["results/local/smoke/data/summary.json", "--cores", "1", "--config", "scale=smoke"]
    run = subprocess.Popen(
        [sys.executable, "-m", "snakemake", *target], cwd=clone.folder, env=clone.environment(), stderr=subprocess.PIPE
    )
    try:
        deadline = time.monotonic() + 60
        while not begun.exists() and time.monotonic() < deadline and run.poll() is None:
            time.sleep(0.05)
        said, well = status.report(clone.folder, time.time())
        assert well and f"running, process {run.pid}" in said, said
        assert "0 of 1 jobs done, 1 running" in said and "running  data, " in said
    finally:
        go.touch()
        _, printed = run.communicate(timeout=60)
    assert run.returncode == 0
    said, well = status.report(clone.folder, time.time())
    assert well and ": finished\n1 of 1 jobs done, 0 running\n" in said
    progress = (clone.folder / "results/local/smoke/progress.log").read_text()
    assert progress.endswith(" 1 of 1 jobs done, 0 running\n") and b"\n1 of 1 jobs done, 0 running\n" in printed
    assert os.listdir(clone.folder / ".snakemake/log")
