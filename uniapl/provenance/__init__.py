"""Where a result comes from: commit, versions, device, memory, hashes. No environment variable is read or stored."""

import hashlib
import importlib.metadata
import platform
import resource
import subprocess
import time
from pathlib import Path

PACKAGES = (
    "torch",
    "transformers",
    "trl",
    "vllm",
    "accelerate",
    "datasets",
    "lm_eval",
    "snakemake",
    "scipy",
    "numpy",
)
ROOT = Path(__file__).resolve().parent.parent.parent


RESULTS = ":(exclude)results/published"  # what a run writes is no part of what made it
# rooms that read what trainings wrote, and what is no code of a training
BESIDE = [f":(exclude)uniapl/{room}" for room in ("analyse", "tables", "publish", "report", "costs")]
TRAINING = ("uniapl", "baselines", "experiments", "requirements.lock", *BESIDE)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _git(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)


def commit() -> str:
    """The git commit of the source tree, with `-dirty` where tracked files differ; `unknown` outside a checkout.

    Published sets do not count: they are renewed while trainings run.
    """
    try:
        head, dirty = (
            _git("rev-parse", "HEAD"),
            _git("status", "--porcelain", "--untracked-files=no", "--", ".", RESULTS),
        )
        head.check_returncode()
        dirty.check_returncode()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.stdout.strip() + ("-dirty" if dirty.stdout.strip() else "")


def same_training_code(a: str, b: str) -> bool:
    """Whether two commits have the same code for a training: equal, or they differ in other folders than TRAINING."""
    if a == b:
        return True
    try:
        return _git("diff", "--quiet", a, b, "--", *TRAINING).returncode == 0
    except OSError:
        return False


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that can change a number; a missing one is left out."""
    versions_by_package = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions_by_package[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions_by_package


def device() -> str:
    """The name of the GPU, or the kind of CPU with its number of threads."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"cpu, {platform.machine()}, {torch.get_num_threads()} thread(s)"


def peak_memory_mb() -> float:
    """Peak memory of this process in MiB: of the GPU where there is one, else resident."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def _own_peak(own: resource.struct_rusage) -> int:
    """The most memory that this process held (KiB). Linux's ru_maxrss keeps what its parent held before the exec."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        return own.ru_maxrss
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")))


def used(since: float) -> str:
    """What this process and its finished children took since `since` (of time.monotonic), in one line.

    Seconds by the clock and of all CPUs, and the most memory that one of the processes ever held (MB). The kernel
    counts all of it (getrusage); a sampler, as Snakemake's benchmark files, sees nothing between two samples.
    """
    own, children = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    peak = max(_own_peak(own), children.ru_maxrss) * 1024 / 1e6
    return f"used: {time.monotonic() - since:.1f} s, {cpu:.1f} s of CPU, {peak:.0f} MB in the largest process"
