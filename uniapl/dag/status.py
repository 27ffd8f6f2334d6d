"""What a run in this folder is doing, from another terminal: `uniapl status`, in the folder where Snakemake runs.

Says whether a run lives (.snakemake.lock), what Snakemake's newest log has of it, the last line of every training that
is at work, what failed and why, how long the rest takes, and what finished jobs used (the `used:` lines of their logs).
Reads files alone. The exit code is 1 where a job failed, or the run ended before all was done.
"""

import argparse
import csv
import os
import re
import time
from pathlib import Path

from uniapl.dag import lease, runlog
from uniapl.errors import UserError, one_line_errors

LOGS, LOCK = ".snakemake/log/*.snakemake.log", ".snakemake.lock"
STEP = re.compile(r"step \d+/\d+, .* steps/s, (\d+) s left")  # uniapl/train/watch.py
USED = re.compile(r"used: [\d.]+ s, ([\d.]+) s of CPU, (\d+) MB in the largest process")  # uniapl.provenance.used
TAIL = 4000  # characters of a job's log that are read


def newest_log(folder: Path) -> Path:
    """Snakemake's log of the newest run that planned jobs. Raises UserError where there is none."""
    for path in sorted(folder.glob(LOGS), reverse=True):
        with open(path, encoding="utf-8", errors="replace") as file:
            if any(text == "Job stats:\n" for text in file):
                return path
    raise UserError(f"{folder}: no run of Snakemake has written {LOGS}: name the checkout's folder with --folder")


def holder(lock: Path) -> int | None:
    """The process that holds this lock, by the kernel's list, which takes nothing; None where it is free."""
    try:
        inode = lock.stat().st_ino
        locks = Path("/proc/locks").read_text(encoding="utf-8")
    except OSError:
        return None
    held = [text.split() for text in locks.splitlines() if " -> " not in text]
    return next((int(words[4]) for words in held if words[5].split(":")[-1] == str(inode)), None)


def leases() -> list[Path]:
    """The lock files of this user's GPUs."""
    return [path for path in sorted(lease.folder().glob("*")) if path.suffix != ".queue"]


def tail(path: Path) -> str:
    """The end of a job's log; empty where it wrote none."""
    if not path.is_file():
        return ""
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL))
        return file.read().decode("utf-8", errors="replace")


def last_line(text: str) -> str:
    """The last line that says something, without what a progress bar wrote over."""
    lines = [part for text in text.splitlines() if (part := text.split("\r")[-1].strip())]
    return next((part for part in reversed(lines) if not part.startswith("used: ")), "")


def left_of(run: runlog.Run, folder: Path) -> dict[str, float]:
    """Seconds that trainings at work say are left, by the number of their job."""
    at_work = {number: job for number, job in run.jobs.items() if job.state == runlog.RUNNING and job.log}
    said = {number: STEP.findall(tail(folder / job.log)) for number, job in at_work.items()}
    return {number: float(seconds[-1]) for number, seconds in said.items() if seconds}


def seconds_before(folder: Path, scale: str | None) -> dict[str, float]:
    """Mean seconds by rule of the jobs that earlier runs of this scale timed (results/local/SCALE/timings)."""
    means, timings = {}, folder / f"results/local/{scale}/timings"
    for of_rule in sorted(timings.iterdir()) if timings.is_dir() else []:  # a folder, or the file of its one job
        seconds = []
        for path in of_rule.rglob("*.tsv") if of_rule.is_dir() else [of_rule]:
            with open(path, encoding="utf-8") as file:
                seconds += [float(row["s"]) for row in csv.DictReader(file, delimiter="\t")]
        if seconds:
            means[of_rule.stem] = sum(seconds) / len(seconds)
    return means


def used(run: runlog.Run, folder: Path) -> str:
    """What the finished jobs took in all; empty where no log says."""
    texts = [tail(folder / job.log) for job in run.jobs.values() if job.state == runlog.DONE and job.log]
    found = [match for text in texts for match in USED.findall(text)[-1:]]
    if not found:
        return ""
    cpu, most = sum(float(seconds) for seconds, _ in found), max(int(mb) for _, mb in found)
    return f"{runlog.duration(cpu)} of CPU time in {len(found)} finished jobs, at most {most:,} MB in one process"


def report(folder: Path, now: float) -> tuple[str, bool]:
    """(what is printed, whether nothing failed and nothing is left undone)."""
    path = newest_log(folder)
    run, process = runlog.read(path.read_text(encoding="utf-8", errors="replace")), holder(folder / LOCK)
    alive, left = process is not None, left_of(run, folder)
    whole = run.count(runlog.DONE) == run.planned
    begun = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.begun or now))
    state = f"running, process {process}" if alive else "finished" if whole else "ended before all was done"
    lines = [f"scale {run.scale or 'unknown'}, begun {begun}: {state}"]
    lines.append(runlog.line(run, now, seconds_before(folder, run.scale), left, alive=alive or whole))
    for job in run.jobs.values():
        text = last_line(tail(folder / job.log)) if job.log else ""
        if job.state == runlog.RUNNING:
            since = runlog.duration(job.seconds(now))
            lines.append(
                f"running  {job.name}, {since}  {text[:100]}" if alive else f"cut off  {job.name}  {text[:100]}"
            )
        if job.state == runlog.FAILED:
            lines.append(f"failed   {job.name}: {job.log}: {text[:200]}")
    counts = {state: run.count(state) for state in (runlog.DONE, runlog.RUNNING, runlog.FAILED)}
    lines.append(f"{'rule':<10} {'planned':>7} {'done':>5} {'running':>7} {'failed':>6} {'waiting':>7}")
    for rule, planned in run.planned.items():
        done, at_work, failed = (count[rule] for count in counts.values())
        lines.append(f"{rule:<10} {planned:>7} {done:>5} {at_work:>7} {failed:>6} {run.waiting[rule]:>7}")
    lines += [f"lease    {path.name}: {lease.holder(path)}" for path in leases() if holder(path)]
    if said := used(run, folder):
        lines.append(said)
    cards = len(list((folder / f"results/local/{run.scale}/train").glob("*/seed*/run.json")))
    lines.append(f"{cards} trainings have their card; Snakemake's log: {os.path.relpath(path, folder)}")
    if not alive and not whole:
        lines.append("the same command, given once more, continues it (docs/reliability.md)")
    return "\n".join(lines), not counts[runlog.FAILED] and (alive or whole)


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("."), help="where Snakemake was started (default: here)")
    printed, well = report(parser.parse_args(argv).folder, time.time())
    print(printed)
    if not well:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
