#!/usr/bin/env bash
# mlcroissant 1.1.1: a field declared sc:Text does not keep its text. pandas reads a file with its own idea of every
# column, and only then is a cell turned into the declared type: "1.10" arrives as "1.1" and "1e3" as "1000.0", from CSV
# and from strings in JSON Lines; in CSV "None", "NA" and "null" are missing. Whether that happens depends on the other
# rows: one "x" in the column keeps "1.10". The description is valid, and the file's SHA-256 is checked and right: gold
# answers, versions and names come back changed from a data set that verifies. Expected: text as in the file.
#
# Exits 0 while all of this holds, 1 if not. FINDINGS_PYTHON names a Python that has the package already; without it it
# is installed in a temporary folder.
#
# Seen (mlcroissant 1.1.1, pandas 3.1.1, Python 3.11 and 3.12):
#     answers ['1.10', '007', '1e3']
#       CSV: ['1.1', '7.0', '1000.0'], JSON Lines: ['1.1', '7.0', '1000.0']
#     answers ['1.10', 'x', 'None', 'NA']
#       CSV: ['1.10', 'x', None, None], JSON Lines: ['1.10', 'x', 'None', 'NA']
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=${FINDINGS_PYTHON:-}
if [ -z "$python" ]; then
  python3 -m venv "$folder/venv"
  python="$folder/venv/bin/python"
  "$python" -m pip install --quiet --disable-pip-version-check mlcroissant==1.1.1 pandas==3.1.1
fi
cat >"$folder/text.py" <<'PYTHON'
import hashlib
import json
import sys
from importlib.metadata import version
from pathlib import Path

import mlcroissant
import pandas

FOLDER = Path(sys.argv[1])
ADDRESS = "https://example.org/"


def read(name: str, kind: str, content: str) -> list[str | None]:
    """The records of one field, sc:Text, of a file of its own."""
    (FOLDER / name).write_text(content)
    dataset = mlcroissant.Metadata(
        name="answers", url=ADDRESS, license="https://spdx.org/licenses/Apache-2.0.html", version="1.0.0",
        description="gold answers", date_published="2026-01-01", cite_as="none",
        creators=[mlcroissant.Organization(name="nobody")],
        distribution=[
            mlcroissant.FileObject(
                id=name, name=name, content_url=name, encoding_formats=[kind],
                sha256=hashlib.sha256(content.encode()).hexdigest(),
            )
        ],
        record_sets=[
            mlcroissant.RecordSet(
                id="rows", name="rows",
                fields=[
                    mlcroissant.Field(
                        id="rows/answer", name="answer", data_types=mlcroissant.DataType.TEXT,
                        source=mlcroissant.Source(file_object=name, extract=mlcroissant.Extract(column="answer")),
                    )
                ],
            )
        ],
    )
    described = FOLDER / "croissant.json"
    described.write_text(json.dumps(dataset.to_json(), default=str))
    records = mlcroissant.Dataset(jsonld=str(described)).records("rows")
    return [None if (cell := record["rows/answer"]) is None else cell.decode() for record in records]


def both(answers: list[str]) -> tuple[list[str | None], list[str | None]]:
    csv = read("answers.csv", "text/csv", "answer\n" + "".join(f"{answer}\n" for answer in answers))
    rows = "".join(json.dumps({"answer": answer}) + "\n" for answer in answers)
    lines = read("answers.jsonl", "application/jsonlines", rows)
    print(f"answers {answers}\n  CSV: {csv}, JSON Lines: {lines}")
    return csv, lines


print(f"mlcroissant {version('mlcroissant')}, pandas {pandas.__version__}")
numbers, names = ["1.10", "007", "1e3"], ["1.10", "x", "None", "NA"]
holds = both(numbers) == (["1.1", "7.0", "1000.0"],) * 2
holds &= both(names) == (["1.10", "x", None, None], names)
print("the finding holds" if holds else "THE BEHAVIOUR HAS CHANGED")
sys.exit(not holds)
PYTHON
"$python" "$folder/text.py" "$folder" 2>"$folder/log" || { status=$?; tail -20 "$folder/log" >&2; exit "$status"; }
