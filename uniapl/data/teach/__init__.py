"""Stage teach: demonstrations of a teacher, kept where they follow every instruction of their prompt.

`python -m uniapl.data.teach --help` says what it reads and writes; docs/teacher.md says how it is used.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass

from uniapl.config import setting
from uniapl.errors import UserError

CARD = "sampling that the teacher's model card recommends"


@dataclass(frozen=True)
class Teacher:
    """The model that demonstrates, how it is sampled, and what that may cost.

    `model` is a folder or an id of hub.lock.json, which pins its revision. Of a prompt's answers the first that
    follows all of its instructions is kept; `attempts` is the most that are asked for.
    """

    model: str = setting("Qwen/Qwen3-235B-A22B-Instruct-2507", "paper: the teacher")
    temperature: float = setting(0.7, CARD)
    top_p: float = setting(0.8, CARD)
    top_k: int = setting(20, CARD)
    presence_penalty: float = setting(
        0.0, "ours: the model card leaves it open; it works against instructions that ask for a word several times"
    )
    max_tokens: int = setting(2_048, "IF-RLVR (arXiv 2507.02833): the longest response it trains on")
    attempts: int = setting(4, "ours: not stated; the paper does not say how demonstrations were filtered")
    seed: int = setting(0, "ours: not stated")
    max_model_len: int = setting(8_192, "ours: room for the longest prompts and an answer; a longer one costs KV cache")
    tensor_parallel: int = setting(8, "ours: 470 GB of weights in bf16 need 8 GPUs of 80 GB; no effect on the text")
    concurrency: int = setting(256, "vLLM's default max_num_seqs: answers under way at once; no effect on the text")
    template_tokens: int = setting(256, "ours: most tokens that a chat template adds to a prompt; reserved, not spent")
    token_budget: int = setting(300_000_000, "ours: tokens of prompts and answers together; a limit, not a plan")

    def __post_init__(self):
        for name in ("max_tokens", "max_model_len", *FREE):
            if getattr(self, name) < 1:
                raise UserError(f"teacher: {name} must be at least 1, not {getattr(self, name)}")
        if not self.temperature >= 0 or not 0 < self.top_p <= 1:  # NaN is neither
            raise UserError("teacher: temperature must not be negative, and top_p above 0 and at most 1")
        if self.max_tokens >= self.max_model_len:
            raise UserError(
                f"teacher: max_tokens {self.max_tokens} leaves no room in max_model_len {self.max_model_len}"
            )

    @property
    def sampling(self) -> dict:
        """The parameters that an answer is drawn with, by the names of vLLM and of OpenAI's interface."""
        names = ("temperature", "top_p", "top_k", "presence_penalty", "max_tokens")
        return {name: getattr(self, name) for name in names}


# what a rerun may change: none of it alters an answer that is already there
FREE = ("attempts", "tensor_parallel", "concurrency", "template_tokens", "token_budget")


def identity(teacher: Teacher, prompts: list[dict], source: dict | None = None) -> dict:
    """What the answers in a file depend on, as JSON values: the teacher without FREE, and the prompts' SHA-256.

    `source`: where the weights are from (`hub.record`); None where a server has them.
    """
    settings = {k: v for k, v in dataclasses.asdict(teacher).items() if k not in FREE}
    rows = [[row[name] for name in ("key", "prompt", "instruction_id_list", "kwargs")] for row in prompts]
    digest = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()
    return {**settings, "source": source, "prompts": len(prompts), "prompts_sha256": digest}
