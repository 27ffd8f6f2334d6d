"""Stage train at scale smoke, as the DAG would run it: its command line, or its arguments for `main` in this process.

A process of its own takes ten seconds to load TRL: it is for what is killed, and for what runs beside another one.
"""

import os
import sys

from support.places import ROOT

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def arguments(world, arm, out) -> list[str]:
    """What follows `uniapl train`."""
    line = ["--scale", "smoke", "--arm", arm, "--seed", "0"]
    line += ["--data", world / "data", "--start", world / "data/scratch", "--out", out]
    if arm != "discriminator":
        line += ["--base", world / "data/scratch", "--discriminator", world / "discriminator/model"]
    return [str(x) for x in line]


def command(world, arm, out) -> list[str]:
    """The command line of a process."""
    return [sys.executable, "-m", "uniapl.train", *arguments(world, arm, out)]
