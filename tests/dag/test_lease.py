"""The GPU lease: concurrent commands never share a device, whatever ends them and under whatever name they ask."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from uniapl.dag.lease import Device, parse_devices, take_lock, visible_devices

# writes the devices that it sees, and from when to when it used them, in one line
USE = 'start=$(date +%s%N); sleep 0.1; echo "$CUDA_VISIBLE_DEVICES $start $(date +%s%N)" >> {log}'
H100S = """GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-aaa1)
GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-bbb2)
  MIG 3g.40gb     Device  0: (UUID: MIG-ccc3)
  MIG 3g.40gb     Device  1: (UUID: MIG-ddd4)
"""


@pytest.fixture
def environment(tmp_path):
    """A machine of four fake GPUs, with leases of its own."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("CUDA_", "UNIAPL_"))}
    return env | {"UNIAPL_FAKE_GPUS": "4", "UNIAPL_LEASES": str(tmp_path / "leases")}


@pytest.fixture
def start(environment):
    """Start a leased command; all of them are killed at the end."""
    started = []

    def of(*command: str, gpus: int = 1, asked: int | None = None, **variables: str) -> subprocess.Popen:
        options = ["-n", str(gpus), *([] if asked is None else ["--asked", str(asked)])]
        line = [sys.executable, "-m", "uniapl.dag.lease", *options, "--", *command]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(line, env=environment | variables, stdout=pipe, stderr=pipe, text=True))
        return started[-1]

    yield of
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_the_leases_of_another_user_are_refused_in_one_line(start, tmp_path):
    (tmp_path / "leases").mkdir()
    os.chown(tmp_path / "leases", 12345, -1)
    error = start("true").communicate(timeout=60)[1]
    assert error.endswith("belongs to another user; let UNIAPL_LEASES name a folder of your own\n")


def uses(log) -> list[tuple[set[str], int, int]]:
    rows = [line.split() for line in log.read_text().splitlines()]
    return [(set(devices.split(",")), int(start), int(end)) for devices, start, end in rows]


def overlaps(log) -> int:
    """How many pairs of commands used one device at one time."""
    pairs = itertools.combinations(uses(log), 2)
    return sum(bool(a & b) and max(start, other) < min(end, last) for (a, start, end), (b, other, last) in pairs)


def said(process: subprocess.Popen) -> str:
    """The next line that a process writes on stderr."""
    return process.stderr.readline()


def test_concurrent_commands_never_share_a_device_and_without_the_lease_they_do(start, environment, tmp_path):
    sizes = [1, 2, 1, 1, 2, 4, 1, 2, 1, 1, 2, 1, 3, 1, 2, 1]  # 26 devices wanted at once, of 4
    log, free_for_all = tmp_path / "leased", tmp_path / "free"
    for process in [start("bash", "-c", USE.format(log=log), gpus=n) for n in sizes]:
        assert process.wait() == 0
    assert sorted(len(devices) for devices, *_ in uses(log)) == sorted(sizes)
    assert set().union(*(devices for devices, *_ in uses(log))) == {"0", "1", "2", "3"}
    assert overlaps(log) == 0

    def unleased(n: int) -> subprocess.Popen:  # what a library does: the first n devices
        first = {"CUDA_VISIBLE_DEVICES": ",".join(map(str, range(n)))}
        return subprocess.Popen(["bash", "-c", USE.format(log=free_for_all)], env=environment | first)

    for process in [unleased(n) for n in sizes]:
        assert process.wait() == 0
    assert overlaps(free_for_all) > len(sizes)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_command_frees_its_devices_and_the_next_said_what_it_waited_for(end, start):
    holder = start("bash", "-c", "echo started; exec sleep 60", gpus=3)
    assert holder.stdout.readline() == "started\n"
    waiting = start("bash", "-c", "echo $CUDA_VISIBLE_DEVICES", gpus=2)
    assert said(waiting) == "lease: waiting for 2 of 4 GPU(s): " + "; ".join(
        f"GPU {i} has process {holder.pid} (bash -c echo started; exec sleep 60)" for i in range(3)
    ) + "\n"  # fmt: skip
    time.sleep(0.3)
    assert waiting.poll() is None
    holder.send_signal(end)
    out, err = waiting.communicate(timeout=20)
    assert len(set(out.strip().split(",")) & {"0", "1", "2", "3"}) == 2 and err == ""  # it said so once


def test_a_killed_lease_that_was_waiting_leaves_the_queue(start):
    holder = start("bash", "-c", "echo started; exec sleep 60", gpus=4)
    holder.stdout.readline()
    first = start("echo", "first", gpus=4)
    assert f"GPU 0 has process {holder.pid}" in said(first)
    second = start("echo", "second", gpus=1)
    assert said(second) == f"lease: waiting for 1 of 4 GPU(s): behind process {first.pid} (echo first)\n"
    first.kill()
    holder.kill()
    assert second.communicate(timeout=20)[0] == "second\n"


def test_a_large_lease_is_served_before_small_ones_that_came_later(start):
    holder = start("bash", "-c", "echo started; exec sleep 60", gpus=1)
    holder.stdout.readline()
    large = start("bash", "-c", "sleep 0.3; date +%s%N", gpus=4)
    said(large)
    small = start("date", "+%s%N", gpus=1)
    said(small)
    assert small.poll() is None  # though three devices are free
    holder.kill()
    finished, began = (int(process.communicate(timeout=20)[0]) for process in (large, small))
    assert finished < began


def test_leases_join_the_queues_in_one_order_whatever_order_their_devices_have(start, tmp_path):
    """Else each of two could head one queue and wait for the other's."""
    (tmp_path / "leases").mkdir()
    held = take_lock(tmp_path / "leases/GPU-fake-1.queue", "the test")
    first = start("echo", "first", gpus=2, CUDA_VISIBLE_DEVICES="0,1")
    assert said(first).endswith("behind the test\n")
    second = start("echo", "second", gpus=2, CUDA_VISIBLE_DEVICES="1,0")
    assert said(second).endswith(f"behind process {first.pid} (echo first)\n")
    os.close(held)
    assert [process.communicate(timeout=20)[0] for process in (first, second)] == ["first\n", "second\n"]


def test_without_gpus_the_command_replaces_the_lease_at_once_and_sees_no_device(start, tmp_path):
    smi = tmp_path / "nvidia-smi"
    smi.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\n")
    smi.chmod(0o755)
    show = "echo $$ [${CUDA_VISIBLE_DEVICES-unset}] $UNIAPL_GPUS $UNIAPL_GPUS_ASKED"
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "UNIAPL_FAKE_GPUS": ""}
    process = start("sh", "-c", show, gpus=0, CUDA_VISIBLE_DEVICES="0,1", **path)
    assert process.communicate() == (f"{process.pid} [] 0 0\n", "")
    assert not (tmp_path / "asked").exists() and not (tmp_path / "leases").exists()
    imported = start(sys.executable, "-c", "", gpus=0, PYTHONPROFILEIMPORTTIME="1").communicate()[1]
    assert " uniapl.errors\n" in imported
    assert not any(f" {heavy}\n" in imported for heavy in ("torch", "numpy", "pandas", "snakemake", "transformers"))


def test_a_command_knows_how_many_devices_it_has_and_how_many_its_scale_asks_for(start):
    show = "import os, json; print(json.dumps({k: v for k, v in os.environ.items() if k[:4] in ('CUDA', 'UNIA')}))"
    process = start(sys.executable, "-c", show, gpus=2, asked=8)
    out, err = process.communicate()
    seen = json.loads(out)
    assert {k: seen[k] for k in ("CUDA_VISIBLE_DEVICES", "UNIAPL_GPUS", "UNIAPL_GPUS_ASKED")} == {
        "CUDA_VISIBLE_DEVICES": "0,1",
        "UNIAPL_GPUS": "2",
        "UNIAPL_GPUS_ASKED": "8",
    }
    assert seen["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"  # else index 0 may be another GPU than nvidia-smi's
    assert err == "lease: 8 GPU(s) asked for, 2 granted\n"


def test_the_exit_code_is_the_commands(start):
    assert start("sh", "-c", "exit 7", gpus=1).wait() == 7


# Which devices there are --------------------------------------------------------------------------


def test_nvidia_smi_lists_gpus_and_the_parts_of_a_split_one_instead_of_it():
    parts = [Device("MIG-ccc3", "MIG-ccc3"), Device("MIG-ddd4", "MIG-ddd4")]
    assert parse_devices(H100S) == [Device("0", "GPU-aaa1"), *parts]
    assert parse_devices("No devices were found\n") == [] and parse_devices("") == []


@pytest.mark.parametrize(
    "chosen, kept",
    [
        (None, ["0=GPU-aaa1", "1=GPU-bbb2"]),
        ("1", ["1=GPU-bbb2"]),
        ("GPU-bbb2,0", ["GPU-bbb2=GPU-bbb2", "0=GPU-aaa1"]),
        ("GPU-b", ["GPU-b=GPU-bbb2"]),  # CUDA takes the beginning of a UUID
        ("MIG-9", ["MIG-9=MIG-9"]),
        ("0,GPU-aaa1", ["0=GPU-aaa1"]),  # one device under two names
        ("", []),
        ("NoDevFiles", []),
        ("1,-1,0", ["1=GPU-bbb2"]),  # CUDA stops at the first that is none
    ],
)
def test_cuda_visible_devices_is_honoured_and_its_names_pass(chosen, kept):
    machine = [Device("0", "GPU-aaa1"), Device("1", "GPU-bbb2")]
    assert [f"{device.name}={device.uuid}" for device in visible_devices(machine, chosen)] == kept


def test_a_device_is_known_by_its_uuid_and_not_by_its_index(start, tmp_path):
    """As on a node where Slurm shows each job its own devices, numbered from 0."""

    def machine(name: str, uuid: str) -> dict[str, str]:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "nvidia-smi").write_text(f"#!/bin/sh\necho 'GPU 0: NVIDIA H100 (UUID: {uuid})'\n")
        (folder / "nvidia-smi").chmod(0o755)
        return {"PATH": f"{folder}:{os.environ['PATH']}", "UNIAPL_FAKE_GPUS": "", "CUDA_VISIBLE_DEVICES": "0"}

    a, b = machine("a", "GPU-aaa1"), machine("b", "GPU-bbb2")
    holder = start("bash", "-c", "echo started; exec sleep 60", **a)
    holder.stdout.readline()
    same = start("echo", "same", **a | {"CUDA_VISIBLE_DEVICES": "GPU-aaa1"})
    assert f"GPU GPU-aaa1 has process {holder.pid}" in said(same)
    assert start("sh", "-c", "echo $CUDA_VISIBLE_DEVICES", **b).communicate(timeout=20) == ("0\n", "")
    assert same.poll() is None
    holder.kill()
    assert same.communicate(timeout=20)[0] == "same\n"


# Bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "gpus, variables, message",
    [
        (5, {}, "asked for 5 GPU(s), and this machine has 4"),
        (2, {"CUDA_VISIBLE_DEVICES": "3"}, "asked for 2 GPU(s), and CUDA_VISIBLE_DEVICES='3' leaves 1"),
        (1, {"CUDA_VISIBLE_DEVICES": ""}, "asked for 1 GPU(s), and CUDA_VISIBLE_DEVICES='' leaves 0"),
        (1, {"UNIAPL_FAKE_GPUS": "", "PATH": "/nowhere"}, "asked for 1 GPU(s), and this machine has 0"),
        (-1, {}, "a lease needs -n of 0 or more"),
    ],
)
def test_what_cannot_be_had_is_refused_in_one_line(gpus, variables, message, start, tmp_path):
    process = start("touch", str(tmp_path / "ran"), gpus=gpus, **variables)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 2 and out == "" and not (tmp_path / "ran").exists()
    assert err.startswith(f"error: {message}") and err.count("\n") == 1


def test_a_command_that_does_not_exist_is_one_line_and_frees_its_devices(start):
    process = start("no-such-command", gpus=4)
    assert process.communicate()[1] == "error: cannot run 'no-such-command': No such file or directory\n"
    assert process.returncode == 2
    assert start("true", gpus=4).wait(timeout=20) == 0
    assert shutil.which("no-such-command") is None
