"""What responses earn: verdicts, a row per instruction, in pieces, and IFEval's four figures of them."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

import pandas as pd

from uniapl import checkers
from uniapl.scorers.match import Pairs

COLUMNS = ["key", "benchmark", "index", "instruction_id", "strict", "loose"]
PIECE = 10_000  # prompts whose verdicts are in memory at a time


def each_piece(pairs: Pairs, *, watch: Callable[[Pairs], Iterable] = iter) -> Iterator[pd.DataFrame]:
    """Frames of one row per instruction: key, [benchmark,] index, instruction_id, strict, loose (1 is followed).

    Together they have the prompts in their order, each whole in one of them; a repeated id has a row for each time.
    `watch` sees the work go by, as a progress bar does.
    """
    work = iter(watch(pairs))
    while piece := list(itertools.islice(work, PIECE)):
        rows = []
        for asked, response in piece:
            verdicts = checkers.check(checkers.build_all(asked.ids, asked.kwargs, where=f"key {asked.key}"), response)
            for index, (i, s, lo) in enumerate(zip(asked.ids, verdicts.strict, verdicts.loose, strict=True)):
                rows.append((asked.key, asked.benchmark, index, i, int(s), int(lo)))
        frame = pd.DataFrame(rows, columns=COLUMNS)
        yield frame.astype({"benchmark": "str"}) if pairs.benchmarks else frame.drop(columns="benchmark")


def score(prompts: Iterable[Mapping], responses: Iterable[Mapping]) -> pd.DataFrame:
    """The pieces of `each_piece` as one frame. Raises UserError like `Pairs`."""
    with Pairs(prompts) as pairs:
        pairs.answer(responses)
        return pd.concat(each_piece(pairs), ignore_index=True)


class Totals:
    """How many prompts and instructions are followed, of frames that come one after the other."""

    def __init__(self) -> None:
        self._passed: dict[str, Counter] = {}  # by group, the figure's name
        self._total: dict[str, Counter] = {}

    def add(self, frame: pd.DataFrame) -> None:
        """Verdicts on prompts, or on conversations, of which no other frame has a part."""
        groups = [("conversation" if "turn" in frame else "", frame)]
        if "turn" in frame:
            groups += [(f"turn_{turn}", of_turn) for turn, of_turn in frame.groupby("turn")]
        for group, rows in groups:
            prompts = rows.groupby("key")[["strict", "loose"]].min()
            for rule, (unit, of_unit) in itertools.product(("strict", "loose"), (("prompt", prompts), ("inst", rows))):
                name = f"{unit}_{rule}"
                self._passed.setdefault(group, Counter())[name] += int(of_unit[rule].sum())
                self._total.setdefault(group, Counter())[name] += len(of_unit)

    def _figures(self, group: str) -> dict[str, dict]:
        passed = self._passed[group]
        return {
            name: {"passed": passed[name], "total": total, "accuracy": passed[name] / total}
            for name, total in self._total[group].items()
        }

    def summary(self) -> dict[str, dict]:
        """As `summary` has it."""
        if "" in self._total:
            return self._figures("")
        turns = {turn: self._figures(turn) for turn in sorted(self._total) if turn != "conversation"}
        averages = {turn: sum(figure["accuracy"] for figure in four.values()) / 4 for turn, four in turns.items()}
        by_turn = {turn: {**four, "average": averages[turn]} for turn, four in turns.items()}
        return {**by_turn, "conversation": self._figures("conversation")}


def summary(frame: pd.DataFrame) -> dict[str, dict]:
    """IFEval's four figures of a score frame, each with passed, total and accuracy (a fraction).

    A prompt passes where all its instructions do. Of Multi-IF: turn_1 to turn_3, each with the four and their average
    accuracy, which is the published figure, and conversation, the four over all turns of a conversation.
    """
    totals = Totals()
    totals.add(frame)
    return totals.summary()
