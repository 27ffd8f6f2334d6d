"""How fast a CPU was measured to be with a policy, and what decoding takes at these rates. Imports no torch.

`uniapl rates` (uniapl/costs/measure.py) writes a file of them; COMMITTED holds those of one machine, for a machine that
has measured none.
"""

import json
from dataclasses import asdict, dataclass, fields
from math import log
from pathlib import Path
from statistics import NormalDist

from uniapl.errors import UserError
from uniapl.jsonl import read_json

COMMITTED = Path(__file__).resolve().with_name("rates.json")
OWN = "results/local/{scale}/rates.json"  # where `uniapl rates` writes and `uniapl plan` looks first
LEAST = {"jobs": 1, "threads": 1, "step": 0, "token": 1e-9, "context": 0, "train": 1e-9, "forward": 1e-9}
AGAIN = "uniapl rates --scale {scale} measures this machine's in minutes"


@dataclass(frozen=True)
class Rates:
    """A policy's speed on a machine that runs `jobs` at a time, of `threads` each: the speed of one of them.

    A decoding step of R rows with C tokens before each takes `step` + R (`token` + C `context`) seconds. `train` is
    tokens per second of forward and backward passes over packed rows (docs/engine.md), `forward` of passes without
    gradient, to log-probabilities. `model`: the shape that was measured (uniapl/costs/shapes.py); `versions`: of what.
    """

    model: str
    machine: str
    precision: str
    date: str
    note: str
    jobs: int
    threads: int
    versions: dict[str, str]
    step: float
    token: float
    context: float
    train: float
    forward: float


def read(path: Path) -> Rates:
    """The rates in a file. Raises UserError for one that lacks a value, or has one that no machine can have."""
    names = [field.name for field in fields(Rates)]
    values = read_json(path, names, f"remove it, and {AGAIN.format(scale='NAME')}")
    for name, least in LEAST.items():
        if not isinstance(values[name], int | float) or not least <= values[name] < 1e9:
            raise UserError(f"{path}: {name} is {values[name]!r}, and must be a number of at least {least:g}")
    return Rates(**{name: values[name] for name in names})


def rates_for(scale: str, model: str) -> tuple[Rates, Path]:
    """This machine's rates where they were measured for the scale, else the committed ones; and their file.

    Raises UserError where they are of another model than the scale's base.
    """
    own = Path(OWN.format(scale=scale))
    path = own if own.is_file() else COMMITTED
    rates = read(path)
    if rates.model != model:
        raise UserError(f"{path}: rates of {rates.model}, and {scale} has {model}: {AGAIN.format(scale=scale)}")
    return rates, path


def write(rates: Rates, path: Path) -> None:
    """Write the rates as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(rates), indent=2) + "\n", encoding="utf-8")


def split(few: int, many: int, near: int, far: int, seconds: tuple[float, float, float]) -> tuple[float, float, float]:
    """(`step`, `token`, `context`) of three measured decoding steps.

    `seconds` are of `few` rows with `near` tokens before them, of `many` with `near`, of `many` with `far`. What noise
    makes negative is 0.
    """
    few_near, many_near, many_far = seconds
    context = max(0.0, (many_far - many_near) / (many * (far - near)))
    row = max(0.0, (many_near - few_near) / (many - few))
    return max(0.0, many_near - many * row), max(1e-9, row - context * near), context


@dataclass(frozen=True)
class Lengths:
    """Lengths of a policy's responses before any limit: log-normal, of this median in tokens and this spread."""

    median: float
    spread: float

    def longer(self, tokens: int) -> float:
        """The share of responses that have more than so many tokens."""
        return 1 - NormalDist(0.0, self.spread).cdf(log(tokens / self.median)) if tokens else 1.0

    def mean(self, limit: int) -> float:
        """Mean tokens of responses that are cut at `limit`."""
        return sum(self.longer(before) for before in range(limit))


def decode(rates: Rates, rows: float, prompt: float, limit: int, lengths: Lengths, idle: float) -> float:
    """Seconds of one batch's responses of at most `limit` tokens, as uniapl/models/sampler.py draws them.

    The batch ends with its longest response. Of the rows under way a share of `idle` has ended and not yet left.
    """
    seconds = 0.0
    for before in range(limit):
        alive = lengths.longer(before)
        under_way = rows * alive / (1 - idle)
        seconds += (1 - (1 - alive) ** rows) * rates.step
        seconds += under_way * (rates.token + rates.context * (prompt + before))
    return seconds
