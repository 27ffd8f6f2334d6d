#!/usr/bin/env bash
# datasets 5.2.0: load_dataset("json") takes a column of strings for timestamps where every string looks like a date
# (pyarrow infers it, and datasets keeps what it infers). A gold answer "2026-03-05" becomes a datetime, which to_json
# writes as a number. lm-eval 0.4.13 over such a file renders the datetime as target, so a model that answers every
# question exactly is given 0 %. One answer that is no date keeps all strings, so which rows a file has decides how its
# other rows are scored. Nothing warns. Expected: strings stay strings, as with Dataset.from_list. This suite's own
# files are read by uniapl/jsonl.py, which infers nothing.
#
# Exits 0 while all of this holds, 1 if not. FINDINGS_PYTHON names a Python that has the packages already; without it
# they are installed in a temporary folder.
#
# Seen (datasets 5.2.0, pyarrow 26.0.1, lm_eval 0.4.13, Python 3.11; the model gives every gold answer word for word):
#     answers ['2026-03-05', '2026-11-30']
#       load_dataset: timestamp[s], to_json writes 1772668800000; from_list: string
#       lm-eval: exact_match 0.0, target of the first question '2026-03-05 00:00:00'
#     answers ['2026-03-05', '2026-11-30', 'never']
#       load_dataset: string, to_json writes "2026-03-05"; from_list: string
#       lm-eval: exact_match 1.0, target of the first question '2026-03-05'
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=${FINDINGS_PYTHON:-}
if [ -z "$python" ]; then
  python3 -m venv "$folder/venv"
  python="$folder/venv/bin/python"
  "$python" -m pip install --quiet --disable-pip-version-check datasets==5.2.0 pyarrow==26.0.1 lm_eval==0.4.13
fi
cat >"$folder/dates.py" <<'PYTHON'
import json
import sys
from pathlib import Path

import lm_eval
from datasets import Dataset, load_dataset
from lm_eval.api.model import LM
from lm_eval.tasks import TaskManager

FOLDER = Path(sys.argv[1])


class Perfect(LM):
    """Answers every question with its gold answer, as the file has it."""

    def __init__(self, rows: list[dict]):
        super().__init__()
        self.answers = {row["question"]: row["answer"] for row in rows}

    def generate_until(self, requests, **_):
        return [self.answers[request.args[0]] for request in requests]

    loglikelihood = loglikelihood_rolling = None


def shown(answers: list[str]) -> tuple[str, float]:
    """The type of the column, and lm-eval's score of a perfect model."""
    rows = [{"question": f"Question {i}:", "answer": answer} for i, answer in enumerate(answers)]
    path = FOLDER / f"{len(rows)}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    loaded = load_dataset("json", data_files=str(path), split="train", cache_dir=str(FOLDER / "cache"))
    loaded.to_json(FOLDER / "again.jsonl")
    again = json.loads((FOLDER / "again.jsonl").read_text().splitlines()[0])["answer"]
    task = {
        "task": f"dates_{len(rows)}",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(path)}, "cache_dir": str(FOLDER / "cache")},
        "test_split": "test",
        "output_type": "generate_until",
        "doc_to_text": "{{question}}",
        "doc_to_target": "{{answer}}",
        "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
        "generation_kwargs": {"until": ["\n"]},
    }
    tasks = TaskManager(include_defaults=False)
    found = lm_eval.simple_evaluate(Perfect(rows), tasks=[task], task_manager=tasks, bootstrap_iters=0)
    score = found["results"][task["task"]]["exact_match,none"]
    target = found["samples"][task["task"]][0]["target"]
    type_ = loaded.features["answer"].dtype
    print(f"answers {answers}")
    print(
        f"  load_dataset: {type_}, to_json writes {json.dumps(again)}; "
        f"from_list: {Dataset.from_list(rows).features['answer'].dtype}"
    )
    print(f"  lm-eval: exact_match {score}, target of the first question {target!r}")
    return type_, float(score)


dates = ["2026-03-05", "2026-11-30"]
holds = shown(dates) == ("timestamp[s]", 0.0)
holds &= shown([*dates, "never"]) == ("string", 1.0)
print("the finding holds" if holds else "THE BEHAVIOUR HAS CHANGED")
sys.exit(not holds)
PYTHON
HF_HUB_OFFLINE=1 "$python" "$folder/dates.py" "$folder" 2>"$folder/log" ||
  { status=$?; tail -20 "$folder/log" >&2; exit "$status"; }
