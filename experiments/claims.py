"""Claims of the kinds that experiments share, each one line there: the sentence and the direction come from here.

`differs` names the settings in which the two arms may differ beside what their methods alone have; of the arms that
they start from, `start.steps` (uniapl/config/fair.py).
"""

from uniapl.config import Arm, Claim

RATE = ("learning_rate",)  # each arm has the one that was chosen for it
TERM = ("lam",)


def name(arm: Arm) -> str:
    """The arm in a sentence."""
    return arm.label or arm.name


def follows_more(
    id: str, arm: Arm, against: Arm, source: str, sentence: str = "", *, differs: tuple[str, ...] = ()
) -> Claim:
    """The claim that one arm follows more prompts of trained types than the other."""
    sentence = sentence or f"{name(arm)} follows more prompts than {name(against)}"
    return Claim(id, sentence, source, "accuracy", arm.name, against.name, "above", differs=differs)


def transfers_better(id: str, arm: Arm, against: Arm, source: str, *, differs: tuple[str, ...] = ()) -> Claim:
    """The claim that one arm follows more prompts of instruction types that neither was trained on."""
    sentence = f"{name(arm)} transfers to instruction types never trained on better than {name(against)}"
    sides = (arm.name, against.name, "above")
    return Claim(id, sentence, source, "accuracy", *sides, benchmark="new_types", differs=differs)


WHERE = {"trained": "", "new_types": " on instruction types never trained on", "new_topics": " on new topics"}


def above_on(benchmark: str, id: str, arm: Arm, against: Arm, source: str, differs: tuple[str, ...] = ()) -> Claim:
    """The claim that one arm follows more prompts of a benchmark than the other; a family for each benchmark."""
    sentence = f"{name(arm)} follows more prompts than {name(against)}{WHERE[benchmark]}"
    sides, family = (arm.name, against.name, "above"), f"above on {benchmark}"
    return Claim(id, sentence, source, "accuracy", *sides, benchmark=benchmark, family=family, differs=differs)


def nearer_in_length(id: str, arm: Arm, against: Arm, source: str, *, differs: tuple[str, ...] = ()) -> Claim:
    """The claim that one arm's response lengths are nearer to the expert's than the other's."""
    other = name(against)
    than = f"those of {other}" if " " in other else f"{other}'s"
    sentence = f"{name(arm)}'s response lengths are nearer to the expert's than {than}"
    return Claim(id, sentence, source, "length", arm.name, against.name, "below", differs=differs)


def falls(id: str, quantity: str, sentence: str, arm: Arm, against: Arm, source: str, *, differs=()) -> Claim:
    """The claim that a quantity of one arm is below the other's."""
    return Claim(id, sentence, source, quantity, arm.name, against.name, "below", differs=differs)


def not_exploited(id: str, arm: Arm) -> Claim:
    """The claim that the discriminator, against which the arm was trained, can still tell it from the expert."""
    sentence = f"the discriminator still ranks the expert above {name(arm)}'s responses: it is not exploited"
    return Claim(id, sentence, "[R-asks] 5", "auc", arm.name, None, "above", margin=0.5)
