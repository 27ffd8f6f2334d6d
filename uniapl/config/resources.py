"""What the jobs of each stage ask of a machine or a cluster: GPUs, memory, time, CPU cores."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

STAGES = (
    "prompts",
    "teach",
    "fetch",
    "data",
    "train",
    "generate",
    "score",
    "suite",
    "converse",
    "analyse",
    "tables",
    "report",
)


@dataclass(frozen=True)
class Resources:
    """One job's request: `gpus`, `memory_gb` (host memory, 10^9 bytes), `minutes` of wall time, CPU `cores`.

    The default is one of the miniature's jobs on a CPU. A retry asks for more memory and time
    (uniapl/dag/snakemake.py).
    """

    gpus: int = 0
    memory_gb: int = 4
    minutes: int = 60
    cores: int = 1

    def __post_init__(self):
        if self.gpus < 0 or min(self.memory_gb, self.minutes, self.cores) < 1:
            raise ValueError(f"{self} asks for less than nothing, or for no memory, time or core")


CGROUP = Path("/sys/fs/cgroup/memory.max")  # of a container: its limit, or `max`


def memory_here() -> int:
    """Bytes of this machine's memory, or of its container's limit where that is lower."""
    limit = CGROUP.read_text(encoding="utf-8").strip() if CGROUP.is_file() else "max"
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(total, int(limit)) if limit.isdigit() else total


def cores_here() -> int:
    """CPU cores that this process may use; macOS knows all cores alone."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def side_by_side(memory_gb: int, minutes: int) -> Resources:
    """A job of which as many run at a time here as the memory holds, at most one per core, and share the cores.

    ours: measured, docs/engine.md: a second thread adds less to a small model's job than a second job does.
    """
    cores = cores_here()
    jobs = max(1, min(cores, int(memory_here() // (memory_gb * 1e9))))
    return Resources(memory_gb=memory_gb, minutes=minutes, cores=math.ceil(cores / jobs))


# ours: requests to a scheduler, not measurements. A training has vLLM in its process, hence the cores; 235 billion
# parameters in bfloat16 are 470 GB, hence eight GPUs of 80 GB for the teacher.
QWEN3_600M_H100: Mapping[str, Resources] = {
    "prompts": Resources(memory_gb=16, minutes=60, cores=4),
    "teach": Resources(gpus=8, memory_gb=256, minutes=720, cores=16),
    "fetch": Resources(memory_gb=8, minutes=240, cores=2),
    "data": Resources(memory_gb=16, minutes=60, cores=2),
    "train": Resources(gpus=1, memory_gb=64, minutes=720, cores=8),
    "generate": Resources(gpus=1, memory_gb=48, minutes=120, cores=4),
    "score": Resources(memory_gb=8, minutes=60, cores=1),
    "suite": Resources(gpus=1, memory_gb=64, minutes=360, cores=8),
    "converse": Resources(gpus=1, memory_gb=64, minutes=120, cores=8),
    "analyse": Resources(memory_gb=16, minutes=60, cores=1),
    "tables": Resources(minutes=15),
    "report": Resources(minutes=15),
}

QWEN3_4B_H100: Mapping[str, Resources] = {
    **QWEN3_600M_H100,
    "train": Resources(gpus=8, memory_gb=512, minutes=1440, cores=16),
    "generate": Resources(gpus=1, memory_gb=96, minutes=240, cores=4),
}

COMPARATORS_H100: Mapping[str, Resources] = {  # experiments/comparators.py: 64, and 470 GB of weights in bfloat16
    "generate/qwen3_32b": Resources(gpus=2, memory_gb=128, minutes=120, cores=8),
    "generate/teacher": Resources(gpus=8, memory_gb=256, minutes=240, cores=16),
}
