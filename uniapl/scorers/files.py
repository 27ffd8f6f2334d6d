"""Frames of rows as a file: CSV or Parquet, in pieces, whole or not at all."""

import contextlib
import glob
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pyarrow
import pyarrow.parquet

from uniapl.errors import UserError

ENDINGS = (".csv", ".parquet")


@contextlib.contextmanager
def writing(path: Path) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Yields a function that adds a frame; the file, CSV or Parquet by its ending, is there once the block has ended.

    What was there before stays until then, and where the block ends with an error. What a killed process has left of
    the same file is removed. Raises UserError that names the file where it cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    table: list[pyarrow.parquet.ParquetWriter] = []  # one, once the first frame has told its columns

    def add(frame: pd.DataFrame) -> None:
        if path.suffix == ".parquet":
            rows = pyarrow.Table.from_pandas(frame, preserve_index=False)
            if not table:
                table.append(opened.enter_context(pyarrow.parquet.ParquetWriter(part, rows.schema)))
            table[0].write_table(rows)
        else:
            more = part.exists()
            frame.to_csv(part, index=False, header=not more, mode="a" if more else "w")

    try:
        with contextlib.ExitStack() as opened:
            path.parent.mkdir(parents=True, exist_ok=True)
            for left in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
                left.unlink()
            opened.callback(part.unlink, missing_ok=True)
            yield add
            for writer in table:
                writer.close()
            os.replace(part, path)
    except OSError as error:
        raise UserError(f"{path}: {error}") from error


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """The file of one frame. Raises UserError like `writing`."""
    with writing(path) as add:
        add(frame)
