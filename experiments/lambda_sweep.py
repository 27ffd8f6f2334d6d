"""How much adversarial term?  Five values of lambda, with entropy and diversity: the paper's ablation."""

from experiments.unified import CHORD, UNIAPL
from uniapl.config import Arm, Claim, Experiment

EXPERIMENT = Experiment(
    name="lambda_sweep",
    question="How do accuracy, the discriminator's AUC, entropy and diversity change with lambda?",
    expectation="Flat accuracy up to 0.1, lower at 1; AUC falls with lambda and below 0.5 at 1 (exploited); entropy "
    "falls at 1.",
    arms=(
        CHORD,
        Arm("lambda_003", "baselines.uniapl", changes={"lam": 0.03}),
        UNIAPL,
        Arm("lambda_03", "baselines.uniapl", changes={"lam": 0.3}),
        Arm("lambda_1", "baselines.uniapl", changes={"lam": 1.0}),
    ),
    against=("chord",),
    most_seeds=3,
    claims=(
        Claim(
            "lambda-1",
            "too large a lambda hurts: lambda = 1 follows fewer prompts than lambda = 0",
            "[R]",
            "accuracy",
            "lambda_1",
            "chord",
            "below",
        ),
        Claim(
            "lambda-2",
            "at lambda = 1 the discriminator is exploited: it scores the policy above the expert",
            "[R-asks] 5",
            "auc",
            "lambda_1",
            None,
            "below",
            margin=0.5,
        ),
        Claim(
            "lambda-3",
            "entropy falls as lambda grows from 0 to 1",
            "[R-asks] 2",
            "entropy",
            "lambda_1",
            "chord",
            "below",
        ),
        Claim(
            "lambda-4",
            "diversity falls as lambda grows from 0 to 1",
            "[R-asks] 2",
            "diversity",
            "lambda_1",
            "chord",
            "below",
        ),
    ),
)
