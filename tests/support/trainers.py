"""Trainers on the miniature world, and what a training did."""

import functools

import torch
from datasets import Dataset
from torch.distributed.tensor import DTensor
from transformers import TrainerCallback
from trl import GRPOConfig, GRPOTrainer, SFTConfig
from trl.experimental.sdft import SDFTConfig

from baselines.grpo_reward_shaped import reward_function
from baselines.hpt_trainer import HPTTrainer
from baselines.luffy_trainer import LUFFYTrainer
from baselines.prefix_rft_trainer import PrefixRFTTrainer
from baselines.psft_trainer import PSFTTrainer
from baselines.relift_trainer import ReLIFTTrainer
from baselines.rl_plus_trainer import RLPlusTrainer
from baselines.sdft_trainer import SDFT
from baselines.sft_plateau_trainer import PlateauTrainer
from baselines.srft_trainer import SRFTTrainer
from baselines.trapo_trainer import TRAPOTrainer
from baselines.trsft_trainer import TrSFTTrainer
from support import miniature
from uniapl.method.grpo import GRPO
from uniapl.method.sft import SFT
from uniapl.method.trainer import UniAPLConfig, UniAPLTrainer

COMMON = {
    "per_device_train_batch_size": 8,
    "num_generations": 4,
    "max_completion_length": 12,
    "max_steps": 3,
    "learning_rate": 1e-3,
    "beta": 0.0,
    "logging_steps": 1,
    "report_to": "none",
    "disable_tqdm": True,
    "save_strategy": "no",
    "use_cpu": True,
    "bf16": False,
    "gradient_checkpointing": False,
    "disable_dropout": True,
    "dataloader_pin_memory": False,
}


class Learning(miniature.Scorer):
    """A discriminator that changes: every lesson adds one to what it multiplies its score with."""

    def __init__(self):
        super().__init__(lambda reference, response: self.factor * miniature.nearness(reference, response))
        self.factor, self.lessons = 1.0, []

    def learn(self, prompts, references, responses):
        self.factor += 1
        self.lessons.append(len(responses))
        return {"discriminator_loss": self.factor}

    def state_dict(self):
        return {"factor": self.factor}

    def load_state_dict(self, state):
        self.factor = state["factor"]


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """A parameter or gradient, gathered from all processes where it is sharded."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


class Gradients(TrainerCallback):
    """Keeps the gradient of every step, as one vector, before the optimizer sees it."""

    def __init__(self):
        self.steps = []

    def on_pre_optimizer_step(self, args, state, control, model=None, **kwargs):
        self.steps.append(torch.cat([whole(p.grad).flatten().clone() for p in model.parameters()]))


def trained(trainer):
    """Train; return losses, gradients and final weights."""
    gradients = Gradients()
    trainer.add_callback(gradients)
    trainer.train()
    losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    return losses, gradients.steps, miniature.weights(trainer.model)


def grpo(tmp_path, *, rewards=(miniature.words,), rows=None, trainer=GRPOTrainer, **options):
    return trainer(
        model=miniature.policy(),
        reward_funcs=list(rewards),
        args=GRPOConfig(output_dir=str(tmp_path), **{**COMMON, **options}),
        train_dataset=Dataset.from_list(rows or miniature.chats()),
        processing_class=miniature.tokenizer(),
    )


def uniapl(tmp_path, discriminator=None, *, rows=None, demonstrations=None, trainer=UniAPLTrainer, **options):
    options = {"demonstrations_per_step": 8, **COMMON, **options}
    return trainer(
        model=miniature.policy(),
        reward_funcs=[miniature.words],
        discriminator=discriminator or miniature.Scorer(miniature.nearness),
        args=UniAPLConfig(output_dir=str(tmp_path), **options),
        train_dataset=Dataset.from_list(rows or miniature.chats()),
        demonstrations=demonstrations,
        processing_class=miniature.tokenizer(),
    )


def parity(completions, **_):
    """A reward of 0 or 1 that random weights earn in half of their responses."""
    return [float(len(c[0]["content"]) % 2) for c in completions]


def mixture(tmp_path, trainer, *, reward=parity, rows=None, options=(), **settings):
    """A trainer of baselines/ with its own `settings`, a binary reward if nothing else; `options` are GRPOConfig's."""
    options = {**COMMON, "loss_type": "dr_grpo", "scale_rewards": "none", **dict(options)}
    return trainer(
        model=miniature.policy(),
        reward_funcs=[reward],
        args=GRPOConfig(output_dir=str(tmp_path), **options),
        train_dataset=Dataset.from_list(rows or miniature.chats()),
        processing_class=miniature.tokenizer(),
        **settings,
    )


def luffy(tmp_path, *, trainer=LUFFYTrainer, gamma=0.1, reward=miniature.words, rows=None, **options):
    return mixture(tmp_path, trainer, reward=reward, rows=rows, options=options, gamma=gamma)


def rl_plus(tmp_path, *, trainer=RLPlusTrainer, rows=None, **options):
    return mixture(tmp_path, trainer, reward=miniature.words, rows=rows, options=options)


# e^H of random weights is near 460: weights with which each of the four losses has a part in the gradient
SRFT = {"gamma": 0.1, "w_demonstration": 300.0, "w_correct": 0.002, "w_wrong": 1.0, "entropy_sign": -1}


def srft(tmp_path, *, trainer=SRFTTrainer, rows=None, **options):
    own = {name: options.pop(name, value) for name, value in SRFT.items()}
    return mixture(tmp_path, trainer, rows=rows, options=options, **own)


def hpt(tmp_path, *, trainer=HPTTrainer, gate=1, sft_weight=0.7, rows=None, **options):
    """A prompt of whose four rollouts none or one earns the reward goes to its demonstration."""
    return mixture(tmp_path, trainer, rows=rows, options=options, gate=gate, sft_weight=sft_weight)


def prefix_rft(tmp_path, *, trainer=PrefixRFTTrainer, high=0.9, low_end=0.1, top_entropy=0.4, rows=None, **options):
    """One of four rollouts begins with a tenth to nine tenths of its demonstration."""
    shares = {"high": high, "low_end": low_end, "decay": 6, "top_entropy": top_entropy}
    return mixture(tmp_path, trainer, rows=rows, options=options, **shares)


def rarely(completions, **_):
    """A reward of 0 or 1 that random weights seldom earn: a fourth of their groups of four earn none."""
    return [float(len(c[0]["content"]) % 4 == 0) for c in completions]


def never(completions, **_):
    """A reward that no response earns."""
    return [0.0] * len(completions)


class WatchedReLIFT(ReLIFTTrainer):
    """Keeps of the second optimizer's step its rows, the weights before, and the gradient before it is clipped."""

    def _sft_step(self, rows):
        self.rows, self.before = rows, miniature.weights(self.model)
        step, clip = self.sft_optimizer.step, self.sft_max_grad_norm
        self.sft_max_grad_norm = 1e9

        def seen():
            self.gradient = torch.cat([p.grad.flatten().clone() for p in self.model.parameters()])
            step()

        self.sft_optimizer.step = seen
        logged = super()._sft_step(rows)
        self.sft_optimizer.step, self.sft_max_grad_norm = step, clip
        return logged


def relift(tmp_path, *, trainer=ReLIFTTrainer, reward=rarely, size=1, entropy_weight=0.01, rows=None, **options):
    """One prompt that none of its four rollouts solved is a full buffer."""
    sft = {"sft_learning_rate": 1e-3, "sft_max_grad_norm": 1.0, "entropy_weight": entropy_weight}
    return mixture(tmp_path, trainer, reward=reward, rows=rows, options=options, size=size, **sft)


PARTS = {"groups": (2, 1, 1), "prefixes": (0.0, 0.4, 1.0), "thresholds": (-1.0, 0.6, 0.9)}


def trapo(tmp_path, *, trainer=TRAPOTrainer, alpha=0.1, parts=PARTS, reward=parity, rows=None, **options):
    """Two rollouts, one that may begin with 40 % of the demonstration, and one that may be all of it."""
    return mixture(tmp_path, trainer, reward=reward, rows=rows, options=options, alpha=alpha, **parts)


def trsft(tmp_path, *, alpha=0.1, **options):
    return sft(tmp_path, **{"trainer": functools.partial(TrSFTTrainer, alpha=alpha), **options})


def prompt_completions(rows: list[dict]) -> list[dict]:
    """The rows as SFTTrainer reads them."""
    answers = [[{"role": "assistant", "content": row["demonstration"]}] for row in rows]
    return [{"prompt": row["prompt"], "completion": answer} for row, answer in zip(rows, answers, strict=True)]


def sft(tmp_path, *, trainer=SFT, rows=None, **options):
    """Rows are grouped by length, as in baselines/sft.py."""
    names = ("num_generations", "max_completion_length", "beta", "disable_dropout")
    options = {name: value for name, value in {**COMMON, **options}.items() if name not in names}
    return trainer(
        model=miniature.policy(),
        args=SFTConfig(output_dir=str(tmp_path), max_length=None, train_sampling_strategy="group_by_length", **options),
        train_dataset=Dataset.from_list(prompt_completions(rows or miniature.chats())),
        processing_class=miniature.tokenizer(),
    )


def plateau(tmp_path, *, patience=9, least_gain=0.0, evaluate_every=1, **options):
    """SFT with six rows of validation."""
    held = Dataset.from_list(prompt_completions(miniature.chats()[-6:]))
    rule = {"patience": patience, "least_gain": least_gain, "evaluate_every": evaluate_every}
    return sft(tmp_path, **{"trainer": functools.partial(PlateauTrainer, eval_dataset=held, **rule), **options})


def dft(tmp_path, **options):
    return sft(tmp_path, loss_type="dft", **options)


def psft(tmp_path, *, trainer=PSFTTrainer, mini_batches=2, clip=0.28, **options):
    return sft(tmp_path, trainer=functools.partial(trainer, mini_batches=mini_batches, clip=clip), **options)


def reward_shaped(tmp_path, **options):
    rewards = (miniature.words, reward_function(miniature.Scorer(miniature.nearness)))
    return grpo(tmp_path, rewards=rewards, reward_weights=[1.0, 0.1], **{"trainer": GRPO, **options})


def mixed(tmp_path, **options):
    """UniAPL with all of its terms, their weights moving."""
    weights = {"mu_peak": 0.5, "mu_valley": 0.1, "mu_decay": 6, "lam": 0.3, "lam_step": 0.2, "eps": 0.1}
    return uniapl(tmp_path, **{**weights, **options})


def own_grpo(tmp_path, **options):
    return grpo(tmp_path, **{"trainer": GRPO, **options})


def adversarial_reward(tmp_path, **options):
    """Both rewards, the discriminator's changing with every lesson."""
    return uniapl(tmp_path, Learning(), **{"w_demo": 0.0, "lam": 0.3, **options})


def sdft(tmp_path, *, trainer=SDFT, rows=None, **options):
    """The policy says that it is from a folder: TRL loads the teacher from there."""
    miniature.build_policy(miniature.tokenizer(), miniature.SIZE, 0).save_pretrained(tmp_path / "policy")
    policy = miniature.policy()
    policy.config._name_or_path = str(tmp_path / "policy")
    options = {name: value for name, value in {**COMMON, **options}.items() if name != "beta"}
    return trainer(
        model=policy,
        args=SDFTConfig(output_dir=str(tmp_path), max_prompt_length=None, **options),
        train_dataset=Dataset.from_list(rows or miniature.chats()),
        processing_class=miniature.tokenizer(),
    )


OF_SFT = ("sft", "sft_plateau", "dft", "psft", "trsft")  # they sample no rollouts
METHODS = {
    "sft": sft,
    "sft_plateau": plateau,
    "trsft": trsft,
    "grpo": own_grpo,
    "grpo_reward_shaped": reward_shaped,
    "luffy": luffy,
    "uniapl": mixed,
    "hpt": hpt,
    "prefix_rft": prefix_rft,
    "relift": relift,
    "trapo": trapo,
    "dft": dft,
    "psft": psft,
    "rl_plus": rl_plus,
    "srft": srft,
    "adversarial_reward": adversarial_reward,
    "sdft": sdft,
}
