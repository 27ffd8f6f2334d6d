"""How much adversarial term?  Five values of lambda, with entropy and diversity: the paper's ablation."""

from dataclasses import replace

from experiments.arms import CHORD, UNIAPL
from experiments.claims import TERM, falls
from uniapl.config import Arm, Claim, Experiment


def with_lambda(name: str, lam: float) -> Arm:
    """UniAPL with another lambda."""
    return replace(UNIAPL, name=name, changes={"lam": lam}, label="")


ONE = with_lambda("lambda_1", 1.0)
HURTS = "too large a lambda hurts: lambda = 1 follows fewer prompts than lambda = 0"
EXPLOITED = "at lambda = 1 the discriminator is exploited: it scores the policy above the expert"
ENTROPY, DIVERSITY = (f"{what} falls as lambda grows from 0 to 1" for what in ("entropy", "diversity"))

EXPERIMENT = Experiment(
    name="lambda_sweep",
    question="How do accuracy, the discriminator's AUC, entropy and diversity change with lambda?",
    expectation="Flat accuracy up to 0.1, lower at 1; AUC falls with lambda and below 0.5 at 1 (exploited); entropy "
    "falls at 1.",
    arms=(CHORD, with_lambda("lambda_003", 0.03), UNIAPL, with_lambda("lambda_03", 0.3), ONE),
    against=("chord",),
    worlds=("miniature", "public"),
    claims=(
        falls("lambda-1", "accuracy", HURTS, ONE, CHORD, "[R]", differs=TERM),
        Claim("lambda-2", EXPLOITED, "[R-asks] 5", "auc", ONE.name, None, "below", margin=0.5),
        falls("lambda-3", "entropy", ENTROPY, ONE, CHORD, "[R-asks] 2", differs=TERM),
        falls("lambda-4", "diversity", DIVERSITY, ONE, CHORD, "[R-asks] 2", differs=TERM),
    ),
)
