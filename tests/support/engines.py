"""Trainers with an engine on the miniature world, over scripted rollouts of many lengths."""

import torch
from datasets import Dataset
from trl import GRPOConfig

from baselines.luffy_trainer import LUFFYTrainer
from support import miniature
from support.trainers import COMMON
from uniapl.method.engine.trainer import PLAIN, EngineTrainer
from uniapl.method.trainer import UniAPLConfig, UniAPLTrainer

SGD = {**COMMON, "max_grad_norm": 1e9, "optim": "sgd", "learning_rate": 0.01}  # Adam would enlarge rounding


class Scripted(EngineTrainer):
    """Rollouts of 1 to 12 tokens drawn from the step alone; log-probabilities of a sampler where `sampled`."""

    sampled = False

    def _generate_single_turn(self, prompt_ids, images, multimodal_fields, num_generations, has_tool_images=False):
        generator = torch.Generator().manual_seed(self.state.global_step)
        lengths = torch.randint(1, 13, (len(prompt_ids),), generator=generator).tolist()
        ids = [torch.randint(5, 90, (n,), generator=generator).tolist() for n in lengths]
        ids = [[*row[:-1], 1] if len(row) % 2 else row for row in ids]  # every second one ends
        logprobs = [(-6.2 + 0.5 * torch.randn(n, generator=generator)).tolist() for n in lengths]
        return ids, logprobs if self.sampled else None


class WithSampler(Scripted):
    sampled = True


class FastUniAPL(UniAPLTrainer, Scripted):
    pass


class FastLUFFY(LUFFYTrainer, Scripted):
    pass


def grpo(tmp_path, engine=PLAIN, trainer=Scripted, model=None, **options):
    return trainer(
        engine=engine,
        model=model or miniature.policy(),
        reward_funcs=[miniature.words],
        args=GRPOConfig(output_dir=str(tmp_path), **{**SGD, **options}),
        train_dataset=Dataset.from_list(miniature.chats()),
        processing_class=miniature.tokenizer(),
    )


def uniapl(tmp_path, engine=PLAIN, trainer=FastUniAPL, **options):
    options = {"demonstrations_per_step": 8, "mu_peak": 0.4, "mu_valley": 0.4, "lam": 0.5, **SGD, **options}
    return trainer(
        engine=engine,
        model=miniature.policy(),
        reward_funcs=[miniature.words],
        discriminator=miniature.Scorer(miniature.nearness),
        args=UniAPLConfig(output_dir=str(tmp_path), **options),
        train_dataset=Dataset.from_list(miniature.chats()),
        processing_class=miniature.tokenizer(),
    )


def luffy(tmp_path, engine=PLAIN, **options):
    return FastLUFFY(
        engine=engine,
        gamma=0.1,
        model=miniature.policy(),
        reward_funcs=[miniature.words],
        args=GRPOConfig(output_dir=str(tmp_path), **{**SGD, **options}),
        train_dataset=Dataset.from_list(miniature.chats()),
        processing_class=miniature.tokenizer(),
    )
