"""A teacher behind an OpenAI-compatible endpoint: vLLM's own server, SGLang's, or a provider's.

The key is read from the environment, sent to the endpoint, and stands in no file and no message.
"""

import asyncio
import random
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace

import httpx

from uniapl.data.teach import Teacher
from uniapl.data.teach.answer import NO_THINKING, Answer, Refusal, Request
from uniapl.data.teach.ledger import BudgetSpent, Meter
from uniapl.errors import UserError
from uniapl.models.checkpoints import messages

KEY = "TEACHER_API_KEY"
PASSING = (408, 409, 425, 429)  # beside 5xx: answers of an endpoint that may do better a moment later
ABOUT_THE_PROMPT = (400, 413, 422)  # too long, refused by a filter
LONGEST_WAIT = 60.0  # seconds


@dataclass(frozen=True)
class Endpoint:
    """`url` is the base that ends in /v1; `timeout` in seconds, of one try from its first byte to its last.

    Calling it asks every request, `concurrency` at once, and gives what comes back in the order in which it comes.
    A try that fails is repeated `retries` times, after `backoff` seconds and twice as long each time, or as long as
    the endpoint asks for. Tokens of a try that may have been paid for (timed out, broken off, unreadable) are charged
    in full; an error status costs none.
    """

    url: str
    model: str
    sampling: dict
    concurrency: int
    key: str = field(default="", repr=False)
    timeout: float = 600.0
    retries: int = 8
    backoff: float = 1.0

    def __post_init__(self):
        try:
            url = httpx.URL(self.url)
        except httpx.InvalidURL as error:
            raise UserError(f"--endpoint is no URL: {error}") from error
        if url.userinfo or url.query:
            raise UserError(f"--endpoint holds a password or a query: put the key into the environment variable {KEY}")
        if url.scheme not in ("http", "https") or not url.host:
            raise UserError(f"--endpoint {self.url}: must begin with http:// or https:// and end in /v1")
        if not (self.key.isascii() and self.key.isprintable()):
            raise UserError(f"the environment variable {KEY} holds characters that no key has: copy it again")

    def __call__(self, requests: Iterator[Request | None], meter: Meter) -> Generator[Answer | Refusal, None, None]:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        limits = httpx.Limits(max_connections=self.concurrency)
        with asyncio.Runner() as runner:
            client = httpx.AsyncClient(headers=headers, limits=limits, timeout=None)
            waiting: set[asyncio.Task] = set()
            try:
                for request in requests:
                    if request is not None:
                        waiting.add(runner.get_loop().create_task(self._ask(client, request, meter)))
                    if request is None or len(waiting) == self.concurrency:
                        yield from _finished(runner, waiting)
                while waiting:
                    yield from _finished(runner, waiting)
            finally:
                for task in waiting:
                    task.cancel()
                runner.run(client.aclose())

    async def _ask(self, client: httpx.AsyncClient, request: Request, meter: Meter) -> Answer | Refusal:
        for tries in range(self.retries + 1):
            outcome, wait = await self._try(client, request)
            if isinstance(outcome, Answer) or wait is None:
                return outcome
            if tries < self.retries:
                if outcome.charge is None:
                    try:
                        ticket = meter.reserve(request.tokens)
                    except BudgetSpent as spent:
                        return replace(outcome, detail=f"{outcome.detail}; not tried again: {spent}")
                    meter.settle(request.ticket, None, outcome.detail)
                    request = replace(request, ticket=ticket)
                delay = wait or self.backoff * 2**tries * random.uniform(0.5, 1)
                await asyncio.sleep(min(delay, LONGEST_WAIT))
        return replace(outcome, detail=f"{outcome.detail}, {self.retries + 1} times")

    async def _try(self, client: httpx.AsyncClient, request: Request) -> tuple[Answer | Refusal, float | None]:
        """One try, and after how many seconds another is worth it: 0 where the endpoint names none, None for never."""
        body = {
            "model": self.model,
            "messages": messages(request.prompt),
            "seed": request.seed,
            "chat_template_kwargs": NO_THINKING,
            **self.sampling,
        }
        try:
            async with asyncio.timeout(self.timeout):
                response = await client.post(f"{self.url.rstrip('/')}/chat/completions", json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return Refusal(request, f"{self.url}: {error}", 0), 0.0
        except TimeoutError:
            return Refusal(request, f"{self.url}: no answer within {self.timeout:g} s", None), 0.0
        except httpx.HTTPError as error:
            return Refusal(request, f"{self.url}: connection lost: {error or type(error).__name__}", None), 0.0
        if response.status_code != 200:
            detail = f"{self.url}: status {response.status_code}: {self._excerpt(response)}"
            again = response.status_code in PASSING or response.status_code >= 500
            final = response.status_code in ABOUT_THE_PROMPT
            return Refusal(request, detail, 0, final), _retry_after(response) if again else None
        try:
            return _answer(request, response.json()), None
        except (AttributeError, KeyError, IndexError, TypeError, ValueError, RecursionError):
            return Refusal(request, f"{self.url}: no chat completion: {self._excerpt(response)}", None), 0.0

    def _excerpt(self, response: httpx.Response) -> str:
        text = " ".join(response.text[:200].split())
        return text.replace(self.key, "***") if self.key else text


def _finished(runner: asyncio.Runner, waiting: set[asyncio.Task]) -> Iterator[Answer | Refusal]:
    """What is there once at least one of the tasks is done; these leave `waiting`."""
    done, _ = runner.run(asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED))
    waiting -= done
    yield from (task.result() for task in done)


def _retry_after(response: httpx.Response) -> float:
    """Seconds of the header Retry-After; 0 where there is none or it is a date."""
    text = response.headers.get("retry-after", "")
    return float(text) if text.isdecimal() else 0.0


def _answer(request: Request, completion: dict) -> Answer:
    """The answer of a chat completion. Raises AttributeError, KeyError, IndexError or TypeError where it is none.

    What a reasoning parser took out of the text is put back in its place, so that it is seen.
    """
    choice, usage = completion["choices"][0], completion.get("usage") or {}
    message = choice["message"]
    text = message.get("content") or ""
    thought = message.get("reasoning_content") or message.get("reasoning") or ""
    counts = [usage.get("prompt_tokens"), usage.get("completion_tokens")]
    if not (isinstance(text, str) and isinstance(thought, str)):
        raise TypeError("not a text")
    if not all(n is None or (isinstance(n, int) and n >= 0) for n in counts):
        raise TypeError("not a number of tokens")
    text = f"<think>{thought}</think>{text}" if thought else text
    return Answer(request, text, choice.get("finish_reason"), *counts, str(completion.get("model", "")))


def endpoint_of(teacher: Teacher, url: str, key: str) -> Endpoint:
    """The teacher behind `url`."""
    return Endpoint(url, teacher.model, teacher.sampling, teacher.concurrency, key)
