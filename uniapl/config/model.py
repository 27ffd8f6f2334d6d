"""What is asked, as data: scales, arms, experiments with their claims, and the runs that they resolve to."""

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from uniapl.config.method import Method, Settings, is_fetched, name_of
from uniapl.config.names import GENERAL
from uniapl.config.resources import Resources

SPLITS = ("test", "validation")
GREEDY, SAMPLED = DECODINGS = ("greedy", "sampled")
WORLDS = ("miniature", "everyday", "public", "files")
NAME = re.compile("[a-z0-9_]+")  # the wildcards of the Snakefile
ONCE = (0,)  # the seeds of an arm that is trained once and shared by all seeds of the others
DISCRIMINATOR = "discriminator"  # the shared arm that is the scale's frozen one


def decodings_of(split: str) -> tuple[str, ...]:
    """The decodings whose answers to the prompts of a split are scored: settings are chosen, on validation prompts, by
    greedy answers alone."""
    return (GREEDY,) if split == "validation" else DECODINGS


class World(Protocol):
    """Where prompts and demonstrations come from: a frozen dataclass. `kind` names the rules that make its data.

    Where it has `drawn_by_seed` = True, trainings of every seed read a draw of their own.
    """

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field]]
    kind: str


@dataclass(frozen=True)
class Arm:
    """One training, which starts from the checkpoint of another arm.

    name     a folder's name: NAME says what may be in it
    method   the module that trains it (uniapl/config/method.py says what is in one)
    start    an arm of the same seed, or one that is trained once; "scratch" for none
    changes  the settings that differ from the scale's
    rate     the entry of the scale's `rates` that is its learning rate; "" takes its method's
    once     it is trained, or fetched, at one seed, for all seeds of the others
    label    its name in a sentence; "" takes `name`
    """

    name: str
    method: Method
    start: str = "base"
    changes: Mapping[str, Any] = field(default_factory=dict)
    rate: str = ""
    once: bool = False
    label: str = field(default="", compare=False)

    @property
    def is_fetched(self) -> bool:
        """Whether its checkpoint is downloaded, not trained."""
        return is_fetched(self.method)


@dataclass(frozen=True)
class Sampling:
    """How a response is drawn. `top_k` = 0 keeps every token; `presence_penalty` is in nats, as vLLM subtracts it."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    presence_penalty: float = 0.0


ON_POLICY = Sampling()  # as the rollouts are drawn
# Qwen3 Technical Report (arXiv 2505.09388), Sec. 4.6, without thinking; ours: without its presence penalty of 1.5,
# which works against instructions that ask for repeated words, and which the model card makes optional
PUBLISHED = Sampling(0.7, 0.8, 20)


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """How checkpoints are evaluated: tokens per response, prompts per batch, of the probe, and what `sampled` is.

    `each_seed`: every checkpoint in a process of its own as soon as it is trained, where that is longer than imports.
    `measured_prompts`: of how many prompts of the benchmark `trained`, the first, the log-probabilities of responses
    are measured (None: of all).
    Entropy, diversity and distances are the policy's own only where nothing is cut off its distribution. Where
    `sampled` cuts, the decoding `on_policy` is drawn beside it, and they are measured on that.
    """

    max_new_tokens: int
    batch: int
    probe_prompts: int
    sampled: Sampling = ON_POLICY
    measured_prompts: int | None = None
    each_seed: bool = False

    @property
    def measured(self) -> str:
        """The decoding whose responses say what the policy's distribution is."""
        return SAMPLED if self.sampled == ON_POLICY else "on_policy"

    def drawn(self, split: str) -> tuple[str, ...]:
        """The decodings by which a checkpoint answers the prompts of a split."""
        scored = decodings_of(split)
        return tuple(dict.fromkeys((*scored, self.measured))) if SAMPLED in scored else scored


@dataclass(frozen=True)
class Compute:
    """How a scale's trainings and evaluations use their devices; what is trained does not depend on their number.

    `bf16`: trainings compute in bfloat16 beside float32 weights (None: where the machine multiplies it in hardware).
    `rows_per_device`: most rows of a step that one device reads at a time (None: all; the rest is accumulation).
    `rollouts` and `evaluate`: who generates, "transformers" or "vllm"; `vllm_memory`: the share of a GPU that vLLM
    takes beside the training; `sharded`: parameters, gradients and optimizer are spread over the devices (FSDP).
    `engine`: trainers on rollouts, and evaluations without vLLM, compute the same numbers by uniapl/method/engine.
    """

    bf16: bool | None = False
    gradient_checkpointing: bool = False
    rows_per_device: int | None = None
    rollouts: str = "transformers"
    evaluate: str = "transformers"
    vllm_memory: float = 0.3
    sharded: bool = False
    engine: bool = False


@dataclass(frozen=True)
class Scale:
    """Everything that differs between smoke, tiny and paper, as data.

    name, hardware, minutes   what the first line of a run says
    seeds           of every arm that is not trained once
    world           where prompts and demonstrations come from
    shared          the arms that all others build on: the base and, if the scale has one, the discriminator; where they
                    are trained, once for every seed
    settings        method -> its settings here; a method that is not listed cannot be asked at this scale
    rates           learning rates that belong to a role and not to a method: what `Arm.rate` names
    evaluation      how checkpoints are evaluated
    suite           its general benchmarks (uniapl/generate/suite.py)
    general         the arms whose first seed they are asked of, the base first
    fixed_settings  settings of which an arm's own value does not count, because it was tuned at another scale
    unequal         settings in which compared arms may differ without their claim's saying so; only where one seed
                    decides no claim
    most_seeds      experiment -> of how many seeds, the first, it is asked here, in the place of its own `most_seeds`
    extended        default experiments that wait here for the target `extended`
    compute         how its devices are used
    resources       a stage, or `stage/arm` -> what its jobs ask of a scheduler
    """

    name: str
    hardware: str
    minutes: str
    seeds: tuple[int, ...]
    world: World
    shared: tuple[Arm, ...]
    settings: Mapping[Method, Mapping[str, Any]]
    evaluation: Evaluation
    rates: Mapping[str, float] = field(default_factory=dict)
    suite: str = "miniature"
    general: tuple[str, ...] = GENERAL
    fixed_settings: tuple[str, ...] = ()
    unequal: tuple[str, ...] = ()
    most_seeds: Mapping[str, int] = field(default_factory=dict)
    extended: tuple[str, ...] = ()
    compute: Compute = Compute()
    resources: Mapping[str, Resources] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """One of WORLDS: the rules that make its data, and the experiments that can be asked there."""
        return self.world.kind

    @property
    def drawn_by_seed(self) -> bool:
        """Whether every seed has training data of its own, not only an order of its own."""
        return getattr(self.world, "drawn_by_seed", False)

    @property
    def discriminator(self) -> Arm | None:
        """The shared arm that is the frozen discriminator; None where the scale has none."""
        return next((arm for arm in self.shared if arm.name == DISCRIMINATOR), None)


@dataclass(frozen=True)
class Claim:
    """A sentence that the experiment can support or contradict, written before the run.

    `quantity` of `arm` is held against that of `against`, or against 0 where that is None; the claim is that the
    difference is `direction` ("above" or "below") `margin`, or "within" it on either side of 0. Quantities: accuracy
    (points, prompt-level strict, on `benchmark`), auc (of the discriminator, expert over policy, at the end), distance
    (expert's minus policy's score, at the end), entropy (nats per token), diversity (distinct bigrams, %), length
    (Wasserstein-1 to the expert, words).
    `source` is the tag of the paper's text that says it, or `ours`. Holm's adjustment is over the claims of one
    `family`; those that name none are the family of their experiment.
    `differs` are the settings in which the two arms may differ; of the arms that they start from, `start.steps`. It is
    checked at every scale and no part of what is claimed (uniapl/config/fair.py).
    """

    id: str
    sentence: str
    source: str
    quantity: str
    arm: str
    against: str | None
    direction: str
    margin: float = 0.0
    benchmark: str = "trained"
    family: str = ""
    differs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Experiment:
    """One question: the arms that answer it and the comparators that each arm is held against.

    `worlds` are the kinds of world in which it can be asked, which every experiment states; `split` is the prompts file
    that scores it (test, or validation for the choice of settings); `seeds` overrides the scale's, `most_seeds` takes
    the first of the scale's; `extended` keeps it out of the default run.
    """

    name: str
    question: str
    expectation: str
    arms: tuple[Arm, ...]
    against: tuple[str, ...]
    worlds: tuple[str, ...] = ()
    split: str = "test"
    decoding: str = "greedy"
    seeds: tuple[int, ...] | None = None
    most_seeds: int | None = None
    claims: tuple[Claim, ...] = ()
    extended: bool = False


@dataclass(frozen=True)
class Run:
    """An arm at one seed, with every setting resolved."""

    scale: str
    arm: str
    seed: int
    method: Method
    settings: Settings
    world: World
    start: "Run | None"
    compute: Compute = Compute()

    def describe(self) -> dict:
        """The resolved configuration as plain JSON values: what the fingerprint covers."""
        compute = {"compute": dataclasses.asdict(self.compute)} if self.compute != Compute() else {}
        described = compute | {
            "arm": self.arm,
            "seed": self.seed,
            "method": name_of(self.method),
            "settings": dataclasses.asdict(self.settings),
            "world": dataclasses.asdict(self.world),
            "start": self.start.fingerprint if self.start else "scratch",
        }
        return json.loads(json.dumps(described))  # a tuple becomes a list, as in the file that it is compared with

    @property
    def fingerprint(self) -> str:
        """SHA-256 (first 16 digits) of `describe()`: the configuration. Data, code and versions: see the card."""
        text = json.dumps(self.describe(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
