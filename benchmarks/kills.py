"""What is left of a run that was killed, or whose disk was full: `python -m benchmarks.kills --work FOLDER`.

An undisturbed `make reproduce SCALE=smoke` in a copy of the tracked files is the reference. Then, for each trial, the
same command in another copy is disturbed once, at a moment drawn from the reference's duration:

leader      SIGKILL of snakemake alone: its jobs go on as orphans
worker      SIGKILL of one of the jobs alone
group       SIGKILL of everything, as at the end of a pod
disk        the copy stands in a tmpfs that has room for a drawn share of what the run writes (needs root)

and the command is given once more (for a full disk: after the tmpfs has grown). A trial is good where the second
command ends with 0, every table, but for the time it took, is byte for byte the reference's, and no process or file of
an unfinished job is left.
FOLDER keeps the reference and trials.jsonl, so that trials can be added; the table is of all of them.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("leader", "worker", "group")
COMMAND = ("make", "reproduce", "SCALE=smoke")
UNFINISHED = (  # what only an unfinished job or run has
    *("results/local/**/" + name for name in ("state", "model.new", "settings.new", "*.part")),
    *(".snakemake/locks/*", ".snakemake/incomplete/*"),
)
PATIENCE = 10  # so many times the duration of an undisturbed run may the second command take
STAGE = re.compile(r" -m (?:uniapl |figures\.)(\w+)")
MEASURED = ["seconds", "peak_memory_mb", "energy_wh"]  # columns that no two runs share
POLL = 0.05  # seconds between looks at the processes


@dataclass(frozen=True)
class Trial:
    """`at`: seconds after the start; `stages`: of the jobs at work then; `orphans`: jobs that outlived the kill."""

    kind: str
    seed: int
    at: float
    stages: list[str]
    orphans: int
    first_code: int
    second_code: int
    seconds: float
    different: list[str]
    left: list[str]

    @property
    def good(self) -> bool:
        return self.second_code == 0 and not self.different and not self.left


def copy(folder: Path) -> Path:
    """What git tracks, or would track, in a new folder, with this Python's environment as its .venv.

    Raises SystemExit unless that is one that `make venv` has built: make would build it anew, through the link.
    """
    if not (Path(sys.prefix) / "ready").is_file():
        raise SystemExit(f"error: {sys.prefix} is not of `make venv`: run this with .venv/bin/python")
    shutil.rmtree(folder, ignore_errors=True)
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True)
    for name in names.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(sys.prefix)
    for name in ("requirements.lock", "pyproject.toml"):
        os.utime(folder / name, (0, 0))  # older than the environment, which make would build anew
    return folder


def start(folder: Path, log: Path) -> subprocess.Popen:
    """The command, in a session of its own; what it prints is added to the log."""
    environment = {name: value for name, value in os.environ.items() if name not in ("OMP_NUM_THREADS", "MAKEFLAGS")}
    environment["PYTHONPATH"] = str(folder)
    with open(log, "ab") as file:
        return subprocess.Popen(COMMAND, cwd=folder, env=environment, stdout=file, stderr=file, start_new_session=True)


def commands_in(folder: Path) -> dict[int, str]:
    """The processes that work in the folder, and the command line of each."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if Path(os.readlink(process / "cwd")).is_relative_to(folder):
                found[int(process.name)] = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except (OSError, UnicodeDecodeError):
            continue  # it has ended, or belongs to another user
    return found


def jobs(commands: dict[int, str]) -> dict[int, str]:
    """Of these, the processes of stages and figures: their names."""
    named = {pid: STAGE.findall(line) for pid, line in commands.items() if " -c " not in line}
    return {pid: found[-1] for pid, found in named.items() if found}


def is_leader(line: str) -> bool:
    return "bin/snakemake" in line and "--unlock" not in line and " -c " not in line


def kill(kind: str, folder: Path, rng: random.Random) -> tuple[list[str], int] | None:
    """Kill what `kind` says; the stages at work, and how many jobs live on. None where there is no such process yet."""
    commands = commands_in(folder)
    working = jobs(commands)
    leaders = [pid for pid, line in commands.items() if is_leader(line)]
    victims = {"leader": leaders, "worker": sorted(working), "group": [*commands] if leaders else []}[kind]
    if not victims:
        return None
    for pid in [rng.choice(victims)] if kind == "worker" else victims:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return sorted(set(working.values())), len(jobs(commands_in(folder))) if kind == "leader" else 0


def tables(folder: Path) -> dict[str, bytes]:
    """Every analysis, table and verdict of a finished run, without the seconds, memory and energy that it took."""
    root, found = folder / "results/local/smoke", {}
    for path in sorted(path for part in ("tables", "overview", "analyse") for path in (root / part).rglob("[!.]*.*")):
        rows = path.with_suffix(".csv")  # of which a table's other formats hold the same columns
        columns = rows.read_text(encoding="utf-8").split("\n", 1)[0].split(",") if rows.is_file() else []
        if not (measured := [name for name in MEASURED if name in columns]):
            found[str(path.relative_to(root))] = path.read_bytes()
        elif path == rows:
            kept = pd.read_csv(path, dtype=str).drop(columns=measured)
            found[str(path.relative_to(root))] = kept.to_csv(index=False).encode()
    return found


def left_behind(folder: Path) -> Iterator[str]:
    yield from (f"process {pid}: {line[:60]}" for pid, line in commands_in(folder).items())
    for pattern in UNFINISHED:
        yield from (str(path.relative_to(folder)) for path in folder.glob(pattern))


def reference(work: Path) -> float:
    """Seconds of an undisturbed run, which is made where the folder has none."""
    known = work / "reference.json"
    if not known.is_file():
        began = time.monotonic()
        code = start(copy(work / "reference"), work / "reference.log").wait()
        if code:
            raise SystemExit(f"error: the undisturbed run ended with {code}: see {work}/reference.log")
        known.write_text(json.dumps({"seconds": time.monotonic() - began}))
    return json.loads(known.read_text())["seconds"]


def finish(folder: Path, work: Path, log: Path, **first) -> Trial:
    """The second command, and what is to be said of the trial."""
    began = time.monotonic()
    code = ended(start(folder, log), folder, PATIENCE * reference(work))
    seconds = time.monotonic() - began
    wanted, found = tables(work / "reference"), tables(folder)
    different = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    left = [*left_behind(folder)]
    return Trial(**first, second_code=code, seconds=seconds, different=different, left=left)


def ended(run: subprocess.Popen, folder: Path, limit: float) -> int:
    """The exit code of a run; that of SIGKILL where it hangs for more than `limit` seconds and is ended."""
    try:
        return run.wait(limit)
    except subprocess.TimeoutExpired:
        for pid in commands_in(folder):
            os.kill(pid, signal.SIGKILL)
        return run.wait()


def killed(kind: str, seed: int, work: Path, duration: float) -> Trial:
    """One kill, and the command once more; a run that ends before its moment comes is made again."""
    rng, done = random.Random(f"{kind}/{seed}"), None
    while done is None:
        folder, log = copy(work / f"{kind}{seed}"), work / f"{kind}{seed}.log"
        at, began = rng.uniform(0.05, 0.95) * duration, time.monotonic()
        run = start(folder, log)
        while done is None and run.poll() is None:
            time.sleep(POLL)
            if time.monotonic() - began >= at:
                done = kill(kind, folder, rng)
    at = time.monotonic() - began
    stages, orphans = done
    first = {"stages": stages, "orphans": orphans, "first_code": run.wait()}
    return finish(folder, work, log, kind=kind, seed=seed, at=at, **first)


def filled(seed: int, work: Path) -> Trial:
    """A disk that is full in the middle of the run, and the command once more when it has grown."""
    rng, disk, log = random.Random(f"disk/{seed}"), work / f"disk{seed}", work / f"disk{seed}.log"
    disk.mkdir(exist_ok=True)
    needed = allocated(work / "reference")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={2 * needed}", "tmpfs", disk], check=True)
    try:
        code = 0
        while not code:  # a run that had room enough is made again, with another share
            subprocess.run(["mount", "-o", f"remount,size={2 * needed}", disk], check=True)
            folder = copy(disk / "copy")
            have = allocated(folder)
            size = round(have + rng.uniform(0.1, 0.9) * (needed - have))
            subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)
            began = time.monotonic()
            code = start(folder, log).wait()
            at = time.monotonic() - began
        subprocess.run(["mount", "-o", f"remount,size={4 * needed}", disk], check=True)
        return finish(folder, work, log, kind="disk", seed=seed, at=at, stages=[], orphans=0, first_code=code)
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def allocated(folder: Path) -> int:
    """Bytes that the files of a folder take on the disk."""
    return sum(512 * path.lstat().st_blocks for path in folder.rglob("*") if path.is_file())


def table(trials: list[Trial]) -> str:
    """Markdown: a row per trial, and how many are good."""
    lines = [
        "| kind | at (s) | stages at work | orphans | first exit | second exit | second (s) | tables differ | left |",
        "| :-- | --: | :-- | --: | --: | --: | --: | --: | --: |",
    ]
    for t in trials:
        counts = (
            f"{t.orphans} | {t.first_code} | {t.second_code} | {t.seconds:.0f} | {len(t.different)} | {len(t.left)}"
        )
        lines.append(f"| {t.kind} | {t.at:.0f} | {', '.join(t.stages) or '-'} | {counts} |")
    return "\n".join([*lines, "", f"{sum(t.good for t in trials)} of {len(trials)} good."])


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="a folder for the copies: 200 MB")
    parser.add_argument("--kills", type=int, default=20, help="how many trials to add, of the kinds in turn")
    parser.add_argument("--disks", type=int, default=0, help="how many full disks to add")
    args = parser.parse_args(argv)
    work = args.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    duration, kept = reference(work), work / "trials.jsonl"
    trials = [Trial(**json.loads(line)) for line in kept.read_text().splitlines()] if kept.is_file() else []
    for number in range(args.kills + args.disks):
        kind = KINDS[len([t for t in trials if t.kind != "disk"]) % len(KINDS)] if number < args.kills else "disk"
        seed = len([t for t in trials if t.kind == kind])
        trials.append(filled(seed, work) if kind == "disk" else killed(kind, seed, work, duration))
        with open(kept, "a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(trials[-1])) + "\n")
        if trials[-1].good:
            shutil.rmtree(work / f"{kind}{seed}")
    print(table(trials))


if __name__ == "__main__":
    main()
