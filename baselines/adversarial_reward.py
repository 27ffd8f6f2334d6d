"""Verifiable reward and the reward of a discriminator that learns beside the policy (arXiv 2607.01181).

    L   = w_verifier L_GRPO(A of r) + lam L_GRPO(A of D(x, y))     the same rollouts; each A normalised in its group
    L_D = mean over rollouts of - log sigma(D(x, y*) - D(x, y))    one step of D, after it has scored the rollouts

w_verifier = 0 is GAD (arXiv 2511.10643), lam = 0 is GRPO, and a frozen D in the place of the learning one is A-GRPO.
The trainer is UniAPLTrainer without its demonstration term, D uniapl/discriminators/cotrained.py.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from baselines import grpo, uniapl
from uniapl.config import setting
from uniapl.config.job import Job
from uniapl.errors import UserError
from uniapl.models.checkpoints import load_policy, load_tokenizer

if TYPE_CHECKING:
    from uniapl.method.trainer import UniAPLTrainer


@dataclass(frozen=True, kw_only=True)
class Settings(grpo.Settings):
    w_verifier: float = setting(1.0, "arXiv 2607.01181, abstract: both rewards are maximised; 0 leaves GAD")
    lam: float = setting(0.1, "ours: UniAPL's lambda, so that the arms differ in what the discriminator may learn")
    discriminator: str = setting("cotrained", "arXiv 2607.01181, abstract: trained alongside the generator policy")


METRICS = {
    name: uniapl.METRICS[name]
    for name in (
        *("loss_preference", "loss_adversarial", "mu", "lam", "distance", "distance_mean", "auc"),
        *("discriminator_loss", "discriminator_accuracy"),
    )
}


def build(job: Job) -> "UniAPLTrainer":
    """A UniAPLTrainer for the run, without demonstrations; a discriminator only where its reward has a weight.

    Raises UserError where neither reward has one."""
    from uniapl.checkers.reward import follows_all
    from uniapl.discriminators import load_discriminator
    from uniapl.discriminators.frozen import Frozen
    from uniapl.method.engine.arms import engine_trainer
    from uniapl.method.trainer import UniAPLConfig, UniAPLTrainer

    s = job.run.settings
    if not (s.w_verifier or s.lam):
        raise UserError(
            f"arm {job.run.arm}: w_verifier and lam are 0, so nothing is learned: give one of them a weight"
        )
    tokenizer = load_tokenizer(job.start)
    rows = grpo.dataset(job, tokenizer)
    discriminator = load_discriminator(job, s.discriminator) if s.lam > 0 else None
    return engine_trainer(UniAPLTrainer, job.run.compute)(
        model=load_policy(job.start),
        reward_funcs=[follows_all],
        discriminator=discriminator,
        args=UniAPLConfig(**grpo.grpo_arguments(job), w_pref=s.w_verifier, w_demo=0.0, lam=s.lam),
        train_dataset=rows,
        demonstrations=rows.filter(lambda text: text is not None, input_columns="demonstration"),
        processing_class=tokenizer,
        callbacks=[Frozen(discriminator)],
    )


most_per_step = grpo.most_per_step
