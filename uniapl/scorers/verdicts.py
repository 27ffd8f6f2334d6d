"""What responses earn: a frame of verdicts, a row per instruction, and IFEval's four figures of it."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from uniapl import checkers
from uniapl.checkers.thinking import strip_thinking
from uniapl.data.prompts import name_of_row
from uniapl.errors import UserError
from uniapl.scorers.match import match

ENDINGS = (".csv", ".parquet")


def without_thinking(rows: list[dict]) -> list[dict]:
    """Response rows without the thinking before the answer."""
    return [{**row, "response": strip_thinking(row["response"])} for row in rows]


def score(prompts: list[dict], responses: list[dict], *, watch: Callable[[list], Iterable] = iter) -> pd.DataFrame:
    """One row per instruction: key, [benchmark,] index, instruction_id, strict, loose (1 is followed).

    Rows are in the order of `prompts`; a repeated id has one for each time. `watch` sees the work go by, as a
    progress bar does. Raises UserError like `match`.
    """
    rows = []
    for prompt, response in watch(list(zip(prompts, match(prompts, responses), strict=True))):
        ids, kwargs = checkers.read_instructions(prompt, name_of_row(prompt))
        verdicts = checkers.check(checkers.build_all(ids, kwargs, where=name_of_row(prompt)), response)
        for index, (i, s, lo) in enumerate(zip(ids, verdicts.strict, verdicts.loose, strict=True)):
            rows.append((prompt["key"], prompt.get("benchmark"), index, i, int(s), int(lo)))
    frame = pd.DataFrame(rows, columns=["key", "benchmark", "index", "instruction_id", "strict", "loose"])
    return frame if any("benchmark" in prompt for prompt in prompts) else frame.drop(columns="benchmark")


def _four_shares(frame: pd.DataFrame) -> dict[str, dict]:
    prompts = frame.groupby("key")[["strict", "loose"]].min()
    return {
        f"{unit}_{rule}": {
            "passed": int(rows[rule].sum()),
            "total": len(rows),
            "accuracy": float(rows[rule].mean()),
        }
        for rule in ("strict", "loose")
        for unit, rows in (("prompt", prompts), ("inst", frame))
    }


def summary(frame: pd.DataFrame) -> dict[str, dict]:
    """IFEval's four figures of a score frame, each with passed, total and accuracy (a fraction).

    A prompt passes where all its instructions do. Of Multi-IF: turn_1 to turn_3, each with the four and their average
    accuracy, which is the published figure, and conversation, the four over all turns of a conversation.
    """
    if "turn" not in frame:
        return _four_shares(frame)
    turns = {f"turn_{turn}": _four_shares(of_turn) for turn, of_turn in frame.groupby("turn")}
    averages = {turn: sum(figure["accuracy"] for figure in four.values()) / 4 for turn, four in turns.items()}
    by_turn = {turn: {**four, "average": averages[turn]} for turn, four in turns.items()}
    return {**by_turn, "conversation": _four_shares(frame)}


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write CSV or Parquet by the name's ending, whole or not at all. Raises UserError where it cannot."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            if path.suffix == ".parquet":
                frame.to_parquet(part, index=False)
            else:
                frame.to_csv(part, index=False)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{path}: {error}") from error
