"""Lease GPUs: `python -m uniapl.dag.lease -n 2 -- COMMAND ...` runs COMMAND on 2 GPUs that no other lease has.

Each device has a lock file; who holds its kernel lock (flock) has the device. The command replaces this process and
keeps the locks open, so its end frees them, however it ends: kill -9 too. It finds its devices in
CUDA_VISIBLE_DEVICES, their number in UNIAPL_GPUS, and in UNIAPL_GPUS_ASKED the number that the scale asks for, which
Snakemake scales down to what its profile has.

Devices are those of CUDA_VISIBLE_DEVICES, as Slurm and Kubernetes set it, else all that nvidia-smi lists. They are
locked by UUID, so an index, a UUID and the same index in another job's allocation are told apart correctly. Leases
are first come, first served. They are per machine and per user, and a child that outlives the command does not hold
its lease.
"""

import argparse
import fcntl
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from uniapl.errors import UserError, one_line_errors
from uniapl.locks import NO_LOCKS

POLL = 0.1  # seconds between looks at the devices while waiting
NONE = ("", "-1", "NoDevFiles")  # where CUDA, or Slurm, stops reading CUDA_VISIBLE_DEVICES


@dataclass(frozen=True)
class Device:
    """`name` as CUDA_VISIBLE_DEVICES has it, and the `uuid` that is the same under every name."""

    name: str
    uuid: str


def parse_devices(printed: str) -> list[Device]:
    """The devices of `nvidia-smi -L`; a GPU that is split (MIG) is replaced by its parts."""
    gpus: list[Device] = []
    whole = None
    for line in printed.splitlines():
        if gpu := re.match(r"GPU (\d+): .*\(UUID: (GPU-[^)\s]+)\)", line):
            whole = Device(*gpu.groups())
            gpus.append(whole)
        elif part := re.match(r"\s+MIG .*\(UUID:\s*(MIG-[^)\s]+)\)", line):
            gpus = [device for device in gpus if device != whole]
            gpus.append(Device(part[1], part[1]))
    return gpus


def machine() -> list[Device]:
    """Every device that this process may see. UNIAPL_FAKE_GPUS=4 stands for a machine with four, in tests."""
    if fake := os.environ.get("UNIAPL_FAKE_GPUS"):
        return [Device(str(i), f"GPU-fake-{i}") for i in range(int(fake))]
    try:
        return parse_devices(subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60).stdout)
    except (OSError, subprocess.TimeoutExpired):
        return []


def visible_devices(devices: list[Device], chosen: str | None) -> list[Device]:
    """Those of a machine's devices that CUDA_VISIBLE_DEVICES, where set, leaves. An id that is not listed passes."""
    if chosen is None:
        return devices
    gpus: dict[str, Device] = {}
    for name in map(str.strip, chosen.split(",")):
        if name in NONE:
            break
        matching = [d.uuid for d in devices if name == d.name or (not name.isdecimal() and d.uuid.startswith(name))]
        uuid = matching[0] if matching else name
        gpus.setdefault(uuid, Device(name, uuid))
    return list(gpus.values())


def devices() -> list[Device]:
    """Every device that a lease may give."""
    return visible_devices(machine(), os.environ.get("CUDA_VISIBLE_DEVICES"))


def take_lock(path: Path, note: str, flags: int = fcntl.LOCK_NB) -> int | None:
    """The open file descriptor that holds the lock, with `note` as its text; with LOCK_NB None where another has it.

    Raises UserError where the file system has no locks: without one two jobs would get the same device.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | flags)
    except BlockingIOError:
        os.close(file)
        return None
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        raise UserError(f"{path}: {error.strerror}: let UNIAPL_LEASES name a folder of a disk with locks") from error
    os.truncate(file, 0)
    os.write(file, note.encode())
    return file


def folder() -> Path:
    """Where this user's locks are."""
    return Path(os.environ.get("UNIAPL_LEASES", f"/tmp/uniapl-leases-{os.getuid()}"))


def holder(path: Path) -> str:
    """What the holder of a lock wrote into it."""
    return path.read_text(encoding="utf-8", errors="replace") or "a lease that is just beginning"


def take(devices: list[Device], count: int, folder: Path, note: str) -> dict[Device, int]:
    """Wait for `count` of the devices; each with the open file descriptor that holds its lock.

    Only who heads the queues of all its devices takes any: so no two leases wait for each other's devices, a large one
    is not starved by small ones, and those of other devices go on. Queues are joined in one order for all.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.stat().st_uid != os.getuid():
        raise UserError(f"{folder}: belongs to another user; let UNIAPL_LEASES name a folder of your own")
    files = {device: folder / device.uuid.replace("/", "_") for device in devices}
    waiting_said = False

    def say(what: str) -> None:
        nonlocal waiting_said
        if not waiting_said:
            print(f"lease: waiting for {count} of {len(devices)} GPU(s): {what}", file=sys.stderr, flush=True)
        waiting_said = True

    turns = []
    for path in sorted(file.with_suffix(".queue") for file in files.values()):
        if (turn := take_lock(path, note)) is None:
            say(f"behind {holder(path)}")
            turn = take_lock(path, note, flags=0)
        turns.append(turn)
    locks: dict[Device, int] = {}
    while True:
        for device in devices:
            if len(locks) < count and device not in locks and (lock := take_lock(files[device], note)) is not None:
                locks[device] = lock
        if len(locks) == count:
            for turn in turns:
                os.close(turn)
            return locks
        say("; ".join(f"GPU {d.name} has {holder(files[d])}" for d in devices if d not in locks))
        time.sleep(POLL)


def lease(count: int, command: list[str]) -> dict[str, str]:
    """The variables that show the command `count` GPUs, once it has them. Raises UserError for more than exist.

    The locks are file descriptors of this process, which nothing closes before its end.
    """
    if not count:
        return {"CUDA_VISIBLE_DEVICES": ""}
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    pool = devices()
    if count > len(pool):
        where = "this machine has" if chosen is None else f"CUDA_VISIBLE_DEVICES={chosen!r} leaves"
        raise UserError(
            f"asked for {count} GPU(s), and {where} {len(pool)}: see `nvidia-smi -L`, and choose a profile that has "
            "fewer, such as --workflow-profile profiles/gpu1"
        )
    locks = take(pool, count, folder(), f"process {os.getpid()} ({' '.join(' '.join(command).split())[:120]})")
    for lock in locks.values():
        os.set_inheritable(lock, True)  # the command keeps the lock by keeping the file open
    order = {} if chosen is not None else {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}  # of nvidia-smi's indices
    return {"CUDA_VISIBLE_DEVICES": ",".join(device.name for device in locks), **order}


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, required=True, help="GPUs; 0 hides all of them")
    parser.add_argument("--asked", type=int, help="GPUs that the scale asks for; default: -n")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="after --")
    args = parser.parse_args(argv)
    command = args.command[args.command[:1] == ["--"] :]
    if args.n < 0 or not command:
        raise UserError("a lease needs -n of 0 or more and a command: python -m uniapl.dag.lease -n 1 -- COMMAND ...")
    asked = args.n if args.asked is None else args.asked
    if args.n < asked:
        print(f"lease: {asked} GPU(s) asked for, {args.n} granted", file=sys.stderr, flush=True)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while it waits needs no traceback
    variables = lease(args.n, command)
    env = {**os.environ, "UNIAPL_GPUS": str(args.n), "UNIAPL_GPUS_ASKED": str(asked), **variables}
    try:
        os.execvpe(command[0], command, env)
    except OSError as error:
        raise UserError(f"cannot run {command[0]!r}: {error.strerror}") from None


if __name__ == "__main__":
    main()
