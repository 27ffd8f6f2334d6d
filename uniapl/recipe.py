"""UniAPL as an arm: GRPO's settings, the demonstrations of each step, and the weights of the added terms."""

from dataclasses import dataclass

from baselines import grpo
from uniapl.config import setting
from uniapl.job import Job, load_policy, load_tokenizer
from uniapl.reward import follows_all


@dataclass(frozen=True)
class Settings(grpo.Settings):
    demonstrations_per_step: int = setting(48, "ours: as many rows in all as the SFT arm sees")
    mu_peak: float = setting(0.9, "CHORD (arXiv 2508.11408), Sec. 4.3: mu decays from 0.9 to 0.05")
    mu_valley: float = setting(0.05, "CHORD, Sec. 4.3")
    mu_warmup: int = setting(0, "CHORD's example configuration: none")
    mu_decay: int = setting(60, "ours: over the whole run; CHORD's lengths differ between its text and its code")
    lam: float = setting(0.1, "ours: lambda is not stated; not tuned")


def build(job: Job):
    """A UniAPLTrainer for the run, with the frozen discriminator of `job.discriminator`."""
    from uniapl.discriminator import Discriminator
    from uniapl.trainer import UniAPLConfig, UniAPLTrainer

    s = job.run.settings
    tokenizer = load_tokenizer(job.start)
    args = UniAPLConfig(
        **grpo.grpo_arguments(job),
        demonstrations_per_step=s.demonstrations_per_step,
        mu_peak=s.mu_peak,
        mu_valley=s.mu_valley,
        mu_warmup=s.mu_warmup,
        mu_decay=s.mu_decay,
        lam=s.lam,
    )
    return UniAPLTrainer(
        model=load_policy(job.start),
        reward_funcs=[follows_all],
        discriminator=Discriminator.load(job.discriminator).discriminate,
        args=args,
        train_dataset=grpo.dataset(job, tokenizer),
        processing_class=tokenizer,
    )


def cost_per_step(settings: Settings) -> dict:
    """Rows that one optimizer step consumes."""
    return {**grpo.cost_per_step(settings), "demonstration_rows": settings.demonstrations_per_step}
