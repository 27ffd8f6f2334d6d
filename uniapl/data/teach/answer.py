"""What a teacher is asked, what it answers, and whether that can be a demonstration."""

import hashlib
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from uniapl.checkers import Checker

# the chat template's switch; a template without it ignores it
NO_THINKING = {"enable_thinking": False}
MARKS = re.compile(r"</?think>|<\|\w+\|>|[\ufffd\ud800-\udfff]")  # thinking, chat template, bytes that are no text
LOOP_BYTES, LOOP_RATIO = 400, 0.1  # ours: prose compresses to 0.3 to 0.5, one sentence 20 times over to less than 0.1


@dataclass(frozen=True)
class Request:
    """One question: the prompt's key, how often it was answered before, and its text.

    `tokens` is the most that prompt and answer can take together, `ticket` the meter's for them.
    """

    key: int | str
    attempt: int
    prompt: str
    seed: int
    tokens: int
    ticket: int


@dataclass(frozen=True)
class Answer:
    """What came back. `finish_reason` is vLLM's and OpenAI's: "stop" where the answer ended by itself, "length", ...

    The tokens are the backend's count, None where it gives none; `model` is the name that it answers under.
    """

    request: Request
    text: str
    finish_reason: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    model: str
    detail: str = ""

    @property
    def charge(self) -> int | None:
        """Tokens to pay for, None where nobody can say."""
        counted = self.prompt_tokens is not None and self.completion_tokens is not None
        return self.prompt_tokens + self.completion_tokens if counted else None


@dataclass(frozen=True)
class Refusal:
    """No answer, and why. `charge` is what the request may have cost: nothing (0), or nobody can say (None).

    `final` where it is this prompt that the backend will not answer, and not the backend that is in trouble.
    """

    request: Request
    detail: str
    charge: int | None
    final: bool = False


def seed_of(seed: int, key: int | str, attempt: int) -> int:
    """The seed of one answer, 0 to 2^31 - 1: a function of its arguments, so neither order nor a rerun changes it."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{key}/{attempt}".encode()).digest()[:4]) >> 1


def loops(text: str) -> bool:
    """Whether the text is mostly one passage over and over."""
    data = text.encode()
    return len(data) >= LOOP_BYTES and len(zlib.compress(data)) < LOOP_RATIO * len(data)


def rejection(
    answer: Answer | Refusal, ids: Sequence[str], checkers: Sequence[Checker]
) -> tuple[str | None, list[str]]:
    """Why an answer is no demonstration, None where it is one; and the ids of the instructions that it breaks.

    refused        the backend did not answer this prompt
    empty          nothing but white space
    truncated      it ran into max_tokens
    unfinished     it ended in any other way than by itself
    marks          a thinking block, tokens of the chat template, broken characters
    looped         mostly one passage over and over
    instructions   it is a proper answer that breaks an instruction
    """
    if isinstance(answer, Refusal):
        return "refused", []
    text = answer.text
    if not text.strip():
        return "empty", []
    if answer.finish_reason == "length":
        return "truncated", []
    if answer.finish_reason != "stop":
        return "unfinished", []
    if MARKS.search(text):
        return "marks", []
    if loops(text):
        return "looped", []
    broken = [name for name, follows in zip(ids, checkers, strict=True) if not follows(text)]
    return ("instructions" if broken else None), broken
