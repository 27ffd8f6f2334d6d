"""Whether a claim compares like with like: the settings in which its two arms differ are those that it declares.

Two arms differ by design in what their names say. They must not differ, unseen, in a learning rate that one scale gives
to one of them. Compared are the settings that both have, of the arms and, stage by stage, of the arms that they start
from, up to the first that one of them shares with all others.
"""

from collections.abc import Iterator, Mapping

from uniapl.config.load import choose
from uniapl.config.model import Claim, Experiment, Run, Scale
from uniapl.errors import UserError

NO_EFFECT = ("save_every", "probe_every")  # on what is trained
START = "start."


def different_settings(run: Run, against: Run) -> Iterator[tuple[str, object, object]]:
    """(name, value, other value) of every setting that both have; with `start.` in front, of their starts."""
    prefix = ""
    while run.arm != against.arm:
        values, others = vars(run.settings), vars(against.settings)
        for name in values:
            if name in others and name not in NO_EFFECT:
                yield prefix + name, values[name], others[name]
        prefix += START
        if not (run.start and against.start and run.start.start and against.start.start):
            return  # one of them is a stage less, or starts from what all share
        run, against = run.start, against.start


def check_claim(scale: Scale, experiment: str, claim: Claim, run: Run, against: Run) -> None:
    """Raise UserError where the arms differ, at this scale, in a setting that the claim does not declare."""
    where = f"experiments/{experiment}.py, claim {claim.id!r}"
    pairs = {name: (value, other) for name, value, other in different_settings(run, against)}
    for name in claim.differs:
        choose(f"setting in `differs` of {where}", name, pairs)
    allowed = {*claim.differs, *scale.unequal}
    for name, (value, other) in pairs.items():
        if value != other and name not in allowed:
            raise UserError(
                f"{where}: at scale {scale.name} {run.arm} has {name} {value} and {against.arm} has {other}: give both "
                f"the same (experiments/scales.py, arms.py), or declare it: differs=({name!r},)"
            )


def check_claims(scale: Scale, experiment: Experiment, runs: Mapping[str, Run]) -> None:
    """Raise UserError for a claim of the experiment whose arms differ in what it does not declare."""
    for claim in experiment.claims:
        if claim.against in runs and claim.arm in runs:  # analyse refuses arms that there are not
            check_claim(scale, experiment.name, claim, runs[claim.arm], runs[claim.against])
