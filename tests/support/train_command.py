"""Stage train as the command line that the DAG would run, at scale smoke."""

import os
import subprocess
import sys

from support.places import ROOT

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def command(world, arm, out, *, seed=0, start=None):
    """The command line that the DAG would run, at scale smoke."""
    line = [sys.executable, "-m", "uniapl.train", "--scale", "smoke", "--arm", arm, "--seed", str(seed)]
    line += ["--data", world / "data", "--start", start or world / "data/scratch", "--out", out]
    if arm != "discriminator":
        line += ["--base", world / "data/scratch", "--discriminator", world / "discriminator/model"]
    return [str(x) for x in line]


def run(*args, **kwargs):
    return subprocess.run(
        command(*args, **kwargs), env=ENVIRONMENT, cwd=ROOT, capture_output=True, text=True, timeout=300
    )
