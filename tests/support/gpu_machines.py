"""Machines with GPUs, for clones: what nvidia-smi says, what a scale asks for, and stand-ins for the stages."""

import re
import shutil
import sys

GPUS = """
from dataclasses import replace
from uniapl.config.resources import Resources
SCALES = [replace(scale, resources={resources}) for scale in SCALES]
"""
# everything a stage writes is one word, and what a training sees is on record; the lease is the real one
STAGE = """case "$*" in "-m uniapl lease "*)
  export UNIAPL_FAKE_GPUS=${{UNIAPL_FAKE_GPUS-{gpus}}} UNIAPL_LEASES={leases}
  exec {python} "$@" ;;
esac
case "$*" in *"uniapl train "*) echo "[$CUDA_VISIBLE_DEVICES] $UNIAPL_GPUS of $UNIAPL_GPUS_ASKED" >> {log} ;; esac
{fails}
all="$*"; out="${{all##*--out }}"
mkdir -p $out
for name in {names}; do echo made > $out/$name; done"""
WRITTEN = "train.jsonl validation.jsonl test.jsonl expert.jsonl summary.json run.json history.csv"
TRAININGS = [f"results/local/smoke/train/{arm}/seed0/run.json" for arm in ("base", "discriminator")]  # need no other


def with_resources(clone, resources: str) -> None:
    """Give every scale of the clone these resources."""
    scales = clone.folder / "experiments/scales.py"
    scales.write_text(scales.read_text() + GPUS.format(resources=resources))


def with_gpus(clone, count: int) -> None:
    """Let nvidia-smi of the clone list GPUs."""
    lines = "\\n".join(f"GPU {i}: NVIDIA H100 80GB HBM3 (UUID: GPU-{i})" for i in range(count))
    clone.tool("nvidia-smi", f"printf '{lines}\\n'")


def with_stages(clone, gpus: int | str = "", fails: str = ""):
    """Put a stand-in for the stages `data` and `train` on PATH; returns where each training writes what it sees."""
    log, leases = clone.bin.parent / "seen", clone.bin.parent / "leases"
    clone.tool("mkdir", f'exec {shutil.which("mkdir")} "$@"')
    values = {"gpus": gpus, "fails": fails, "log": log, "leases": leases, "python": sys.executable, "names": WRITTEN}
    clone.tool("python", STAGE.format(**values))
    return log


def asked(printed: str, rule: str) -> set[str]:
    """What the jobs of a rule are granted, of what Snakemake prints, in one order."""
    jobs = rf"^(?:local)?rule {rule}(?:_\w+)?:\n(?:    .*\n)*?    resources: (.*)"
    found = re.findall(jobs, printed, re.MULTILINE)
    names = ("gpu", "gpus_asked", "runtime", "mem_mb")
    return {", ".join(re.search(rf"\b{name}=\d+", line)[0] for name in names) for line in found}
