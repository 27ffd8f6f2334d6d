"""Responses: how they are read, and which prompt each one answers."""

from collections import Counter
from pathlib import Path

import pyarrow.parquet

from uniapl.data.prompts import refuse_rows, with_key
from uniapl.errors import UserError
from uniapl.jsonl import read_jsonl
from uniapl.provenance import checksums


def read_responses(path: str | Path) -> list[dict]:
    """The rows of a responses file (JSON Lines, or Parquet where it ends so), each with a text in `response`.

    Rows of `lm_eval --log_samples` are read too. Of a Parquet file only key, turn, prompt and response are read.
    Raises UserError that names file and row.
    """
    if Path(path).suffix == ".parquet":
        checksums.check(Path(path))
        try:
            with pyarrow.parquet.ParquetFile(path) as file:
                columns = [c for c in ("key", "turn", "prompt", "response") if c in file.schema_arrow.names]
                rows = file.read(columns=columns).to_pylist()
        except (OSError, ValueError) as error:
            raise UserError(f"{path}: {error}") from error
    else:
        rows = read_jsonl(path)
    if not rows:
        raise UserError(f"{path}: holds no rows")
    rows = [with_key(of_lm_eval(row), f"{path}: row {number}") for number, row in enumerate(rows, start=1)]
    bad = [row for row in rows if not isinstance(row.get("response"), str)]
    refuse_rows(bad, len(rows), f"rows of {path} have no text in their field response")
    return rows


def of_lm_eval(row: dict) -> dict:
    """A row of `lm_eval --log_samples`, of any version, as key, prompt and response; any other row as it is.

    The response is what lm-eval scored: the first answer, once its filters have seen it.
    """
    doc, answer = row.get("doc"), row.get("filtered_resps", row.get("resps"))
    if "response" in row or not isinstance(doc, dict) or not isinstance(answer, list):
        return row
    while isinstance(answer, list) and answer:
        answer = answer[0]
    return {"key": doc.get("key"), "prompt": doc.get("prompt"), "response": answer}


def near(text: object) -> str:
    """What two texts share that differ by blanks at their ends, or as 7 and 7.0 do."""
    return str(text).strip().removesuffix(".0")


def match(prompts: list[dict], responses: list[dict]) -> list[str]:
    """The response to each prompt, in the order of `prompts`.

    Joined by key where every row of both has one, otherwise by the prompt's exact text. Keys are compared as
    text, so that 7 and "7" are one. Raises UserError where a prompt has no response or several, where a
    response answers no prompt, and where the text that was answered under a key is not that prompt's: prompts
    change between releases of IFEval while keys stay.
    """
    by = "key" if all(row.get("key") is not None for row in [*prompts, *responses]) else "prompt"
    refuse_rows([row for row in responses if row.get(by) is None], len(responses), f"responses have no {by}")
    for what, rows in (("prompts", prompts), ("responses", responses)):
        counts = Counter(str(row[by]) for row in rows)
        repeated = [row for row in rows if counts[str(row[by])] > 1]
        refuse_rows(repeated, len(rows), f"{what} have the same {by} as another")
    by_id = {str(row[by]): row for row in prompts}
    answers = {str(row[by]): row for row in responses}
    missing = [row for i, row in by_id.items() if i not in answers]
    loose = {near(i) for i in answers if i not in by_id}
    close = [row for row in missing if near(row[by]) in loose]
    refuse_rows(
        close, len(by_id), f"prompts have a response whose {by} differs by blanks at its ends alone: make them one"
    )
    remedy = "answer them, or score a prompts file without them"
    refuse_rows(missing, len(by_id), f"prompts have no response (joined by {by}; {remedy})")
    extra = [row for i, row in answers.items() if i not in by_id]
    refuse_rows(extra, len(answers), f"responses answer no prompt (joined by {by})")
    changed = [row for i, row in by_id.items() if answers[i].get("prompt") not in (None, row["prompt"])]
    close = [row for row in changed if near(answers[str(row[by])]["prompt"]) == near(row["prompt"])]
    refuse_rows(
        close, len(by_id), "prompts differ from the text that was answered by blanks at their ends: make them one"
    )
    refuse_rows(changed, len(by_id), "prompts are not the text that was answered under their key")
    return [answers[i]["response"] for i in by_id]
