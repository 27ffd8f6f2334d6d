"""UniAPL as an arm: GRPO's settings, the demonstrations of each step, and the weights of the added terms."""

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baselines import grpo
from uniapl.config import StepRows, per_scale, setting
from uniapl.config.job import Job
from uniapl.models.checkpoints import load_policy, load_tokenizer

if TYPE_CHECKING:
    from uniapl.method.trainer import UniAPLTrainer


@dataclass(frozen=True, kw_only=True)
class Settings(grpo.Settings):
    w_pref: float = setting(1.0, "CHORD: the mixture is 1 - mu to mu")
    w_demo: float = setting(1.0, "CHORD: the mixture is 1 - mu to mu")
    demonstrations_per_step: int = per_scale("ours: as many rows in all as the SFT arm sees")
    own_prompts: bool = setting(False, "CHORD's code: expert rows from a loader of their own")
    mu_peak: float = setting(0.9, "CHORD (arXiv 2508.11408), Sec. 4.3: mu decays from 0.9 to 0.05")
    mu_valley: float = setting(0.05, "CHORD, Sec. 4.3")
    mu_warmup: int = setting(0, "CHORD's example configuration: none")
    mu_decay: int = per_scale("ours: over the whole run; CHORD's lengths differ between its text and its code")
    phi: float = setting(0.0, "0: CHORD-mu's plain likelihood; 1: CHORD-phi")
    discriminator: str = per_scale("paper's reviews: a fixed, modified POLAR; in the miniature, its miniature")
    lam: float = setting(0.1, "ours: lambda is not stated; experiments/lambda_sweep.py")
    lam_step: float = setting(0.0, "ours: 0 keeps lambda constant, as the paper's reviews describe it")
    lam_penalty: float = setting(
        0.0, "Stooke et al. (arXiv 2007.03964): damps the dual variable; 0 is plain dual ascent"
    )
    eps: float = setting(0.0, "ours: not stated; acts only where lam_step or lam_penalty > 0")
    distance_decay: float = setting(0.9, "ours: the running mean remembers about ten steps")
    adversarial_ddof: int | None = setting(1, "ours: as TRL normalises rewards; the paper's way is not stated")
    adversarial_clip: float = setting(float("inf"), "ours: no clipping of the advantage; not stated")


METRICS = {
    "loss_preference": "TRL's loss with the reward's advantage",
    "loss_demonstration": "negative log-likelihood of the step's demonstrations, per token",
    "loss_adversarial": "TRL's loss with the discriminator's advantage",
    "mu": "the demonstrations' share in the mixture",
    "lam": "lambda, as it enters the loss",
    "distance": "expert's minus policy's mean score, of the step",
    "distance_mean": "running mean of the distance",
    "auc": "how often the discriminator ranks the expert's response above the rollout",
    "discriminator_loss": "Bradley-Terry loss of a discriminator that learns",
    "discriminator_accuracy": "of a discriminator that learns: share of pairs ranked right",
}


def build(job: Job) -> "UniAPLTrainer":
    """A UniAPLTrainer for the run; a discriminator only where lambda is or can become positive."""
    from uniapl import discriminators
    from uniapl.checkers.reward import follows_all
    from uniapl.discriminators.frozen import Frozen
    from uniapl.method.engine.arms import engine_trainer
    from uniapl.method.trainer import UniAPLConfig, UniAPLTrainer

    s = job.run.settings
    tokenizer = load_tokenizer(job.start)
    of_terms = {f.name for f in dataclasses.fields(Settings)} - {f.name for f in dataclasses.fields(grpo.Settings)}
    options = {name: getattr(s, name) for name in of_terms - {"discriminator"}}
    rows = grpo.dataset(job, tokenizer)
    taught = rows.filter(lambda text: text is not None, input_columns="demonstration")
    discriminator = None
    if max(s.lam, s.lam_step, s.lam_penalty) > 0:
        discriminator = discriminators.load_discriminator(job, s.discriminator)
    return engine_trainer(UniAPLTrainer, job.run.compute)(
        model=load_policy(job.start),
        reward_funcs=[follows_all],
        discriminator=discriminator,
        args=UniAPLConfig(**grpo.grpo_arguments(job), **options),
        train_dataset=rows,
        demonstrations=taught if len(taught) < len(rows) else None,
        processing_class=tokenizer,
        callbacks=[Frozen(discriminator)],
    )


def most_per_step(settings: Settings) -> StepRows:
    """Rows that an optimizer step consumes; a term that never has weight consumes none, a step without it fewer."""
    learns = settings.w_demo > 0 and max(settings.mu_peak, settings.mu_valley) > 0
    rows = settings.prompts_per_step if settings.own_prompts else settings.demonstrations_per_step
    return grpo.most_per_step(settings)._replace(demonstration_rows=rows if learns else 0)
