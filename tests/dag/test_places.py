"""Where a run may find itself: no home, no git, a folder that cannot be written, jobs of a run that was killed."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from support.clones import planned

from uniapl.dag.snakemake import check_writable
from uniapl.errors import UserError

TARGET = ("results/local/smoke/data/summary.json", "--cores", "1", "--config", "scale=smoke")
JOB = """echo "$$" >> {log}
while [ ! -e {go} ]; do {sleep} 0.05; done
all="$*"; out="${{all##*--out }}"
{mkdir} -p "$out"
for name in train validation test expert corpus comparisons; do echo made > "$out/$name.jsonl"; done
{mkdir} -p "$out/model"; echo made > "$out/summary.json" """


def test_a_home_that_cannot_be_written_and_no_git_are_no_hindrance(clone, monkeypatch):
    monkeypatch.setenv("HOME", "/proc/absent")  # nobody can make it, root included
    assert not (clone.bin / "git").exists()
    code, printed = clone.snakemake("-n", "--config", "scale=smoke")
    assert code == 0 and planned(printed)["train"] > 4, printed


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path, monkeypatch):
    check_writable(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere else
    with pytest.raises(UserError, match=f"^{tmp_path}: cannot be written: copy the checkout"):
        check_writable(tmp_path)


def test_the_next_run_waits_for_the_jobs_of_a_killed_one(clone):
    tools = {name: shutil.which(name) for name in ("sleep", "mkdir")}
    log, go = clone.bin.parent / "jobs.log", clone.bin.parent / "go"
    clone.tool("python", JOB.format(log=log, go=go, **tools))
    clone.tool("flock", f'exec {shutil.which("flock")} "$@"')
    command = [sys.executable, "-m", "snakemake", *TARGET]

    def run():
        return subprocess.Popen(
            command,
            cwd=clone.folder,
            env=clone.environment(),
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )

    def jobs() -> list[str]:
        return log.read_text().split() if log.exists() else []

    first = run()
    while not jobs():
        assert first.poll() is None
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert clone.snakemake("--unlock", *TARGET)[0] == 0  # as `make` does
    second, printed = run(), ""
    while "waiting for them to end" not in printed:
        line = second.stderr.readline()
        assert line, printed
        printed += line
    assert len(jobs()) == 1  # the orphan alone
    go.touch()
    rest = second.communicate(timeout=60)[1]
    assert second.returncode == 0, printed + rest
    assert len(jobs()) == 2 and (clone.folder / TARGET[0]).read_text() == "made\n"
