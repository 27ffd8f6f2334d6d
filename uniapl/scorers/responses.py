"""Responses: how a file of them is read, one after the other."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow.parquet

from uniapl.checkers.thinking import strip_thinking
from uniapl.data.prompts import Refused, with_key
from uniapl.errors import UserError, first_names
from uniapl.jsonl import each_row
from uniapl.provenance import checksums

COLUMNS = ("key", "turn", "prompt", "response")  # all that is read of a Parquet file
BATCH = 1000  # rows of a Parquet file that are read at a time


def each_response(path: str | Path) -> Iterator[dict]:
    """The rows of a responses file (JSON Lines, or Parquet where it ends so) that have a text in `response`.

    Rows of `lm_eval --log_samples` are read too. Raises UserError that names file and row; at the end, where rows have
    no text, and for a file without rows.
    """
    total, without_text, instead = 0, Refused(), ""
    for total, row in enumerate(_of_parquet(Path(path)) if Path(path).suffix == ".parquet" else each_row(path), 1):
        row = with_key(of_lm_eval(row), f"{path}: row {total}")
        if isinstance(row.get("response"), str):
            yield row
        else:
            without_text.add(row)
            if "response" not in row and not instead:
                instead = f" (they have {first_names([*row]) or 'nothing'})"
    without_text.end(total, f"rows of {path} have no text in their field response{instead}")


def _of_parquet(path: Path) -> Iterator[dict]:
    checksums.check(path)
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            columns = [name for name in COLUMNS if name in file.schema_arrow.names]
            if not file.metadata.num_rows:
                raise UserError("holds no rows")
            for batch in file.iter_batches(BATCH, columns=columns):
                yield from batch.to_pylist()
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: {error}") from error


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


def without_thinking(rows: Iterable[dict]) -> Iterator[dict]:
    """Response rows without the thinking before the answer."""
    return ({**row, "response": strip_thinking(row["response"])} for row in rows)
