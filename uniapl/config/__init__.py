"""What is asked: scales, arms and experiments, resolved into runs. Imports no torch and writes nothing.

model.py has the types, method.py the contract of a training method, load.py reads experiments/, resolution.py gives
every setting its value, fair.py holds the arms of a claim against each other.
"""

from uniapl.config.load import choose, experiment_names, load_experiment, load_scale
from uniapl.config.method import Method, Settings, StepRows, per_scale, setting
from uniapl.config.model import (
    DECODINGS,
    NAME,
    ON_POLICY,
    ONCE,
    PUBLISHED,
    SPLITS,
    WORLDS,
    Arm,
    Claim,
    Compute,
    Evaluation,
    Experiment,
    Run,
    Sampling,
    Scale,
    World,
)
from uniapl.config.resolution import (
    all_arms,
    arm_of,
    asked_at,
    check_scale,
    experiments_of,
    resolve,
    seeds_of,
    settings_of,
    usual_settings,
)

__all__ = [
    "Arm",
    "Claim",
    "Compute",
    "DECODINGS",
    "Evaluation",
    "Experiment",
    "Method",
    "NAME",
    "ONCE",
    "ON_POLICY",
    "PUBLISHED",
    "Run",
    "SPLITS",
    "Sampling",
    "Scale",
    "Settings",
    "StepRows",
    "WORLDS",
    "World",
    "all_arms",
    "arm_of",
    "asked_at",
    "check_scale",
    "choose",
    "experiment_names",
    "experiments_of",
    "load_experiment",
    "load_scale",
    "per_scale",
    "resolve",
    "seeds_of",
    "setting",
    "settings_of",
    "usual_settings",
]
