"""A teacher in this process: vLLM, over as many GPUs as the teacher asks for, or on the CPU."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

from uniapl.data import hub
from uniapl.data.teach import Teacher
from uniapl.data.teach.answer import NO_THINKING, Answer, Refusal, Request
from uniapl.data.teach.ledger import Meter
from uniapl.errors import UserError
from uniapl.models.checkpoints import messages
from uniapl.models.startup import set_vllm

BATCHES = 4  # ours: a call has so many times `concurrency` requests; its slowest answer then idles little of the GPU


@dataclass
class Offline:
    """`load` gives a vllm.LLM. Calling this answers the requests a batch at a time; a kill costs at most one batch.

    The model is loaded with the first call: a file that needs no answer, or is refused, does not wait for it.
    """

    teacher: Teacher
    load: Callable[[Teacher], Any]

    @cached_property
    def llm(self) -> Any:
        return self.load(self.teacher)

    def __call__(self, requests: Iterator[Request | None], meter: Meter) -> Generator[Answer | Refusal, None, None]:
        llm = self.llm  # loaded before tokens are reserved
        while batch := list(islice(takewhile(bool, requests), BATCHES * self.teacher.concurrency)):
            fitting = []
            for request in batch:
                if self._fits(llm, request):
                    fitting.append(request)
                else:
                    limit = self.teacher.max_model_len
                    yield Refusal(request, f"key {request.key} has more than --max-model-len {limit} tokens", 0, True)
            yield from self._chat(llm, fitting) if fitting else ()

    def _fits(self, llm, request: Request) -> bool:
        """Whether vLLM takes the prompt: it raises for a whole batch where one is too long."""
        limit = self.teacher.max_model_len
        if request.tokens - self.teacher.max_tokens < limit:
            return True
        chat = llm.get_tokenizer().apply_chat_template(
            messages(request.prompt), add_generation_prompt=True, return_dict=False, **NO_THINKING
        )
        return len(chat) < limit

    def _chat(self, llm, requests: list[Request]) -> Iterator[Answer]:
        from vllm import SamplingParams

        try:
            outputs = llm.chat(
                [messages(request.prompt) for request in requests],
                [SamplingParams(**self.teacher.sampling, seed=request.seed) for request in requests],
                chat_template_kwargs=NO_THINKING,
                use_tqdm=False,
            )
        except Exception as error:  # the engine's errors share no class
            raise UserError(f"vLLM stopped: {error}; its log above says more; run again, it continues") from error
        for request, output in zip(requests, outputs, strict=True):
            first = output.outputs[0]
            counts = len(output.prompt_token_ids), len(first.token_ids)
            yield Answer(request, first.text, first.finish_reason, *counts, self.teacher.model)


def load(teacher: Teacher):
    """A vllm.LLM with the teacher's weights: a folder, or an id of hub.lock.json.

    Raises UserError where vLLM is not installed, where the folder holds no model, and where it does not start.
    """
    folder = Path(teacher.model)
    if folder.is_absolute() or folder.exists():
        if not (folder / "config.json").exists():
            raise UserError(f"{folder} holds no model: no config.json")
    set_vllm()
    try:
        from vllm import LLM
    except ImportError as error:
        raise UserError(
            f"vLLM cannot be imported ({error}): `make venv-vllm` builds an environment with it, or ask a server with "
            "--endpoint URL"
        ) from error
    try:
        return LLM(
            model=str(folder.resolve() if folder.exists() else hub.folder(teacher.model)),
            tensor_parallel_size=teacher.tensor_parallel,
            max_model_len=teacher.max_model_len,
            max_num_seqs=teacher.concurrency,
            seed=teacher.seed,
        )
    except Exception as error:  # vLLM's own, PyTorch's, the hub's: no common class
        raise UserError(f"vLLM does not start with {teacher.model}: {error}; its log above says more") from error
