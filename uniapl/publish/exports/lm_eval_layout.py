"""lm-eval's own layout (0.4.13): a folder per arm and seed with results_DATE.json and samples_TASK_DATE.jsonl.

A task is a benchmark of the set, `uniapl_<scale>_<benchmark>`. lm-eval knows one run of one model, so every seed is a
folder. Values are proportions. `inst_*` is pooled over instructions in the results, and a prompt's share in its sample,
as in the suite's own tasks. Texts are no part of a published set: `doc` has the key, and there is no response.
"""

import hashlib
import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from uniapl.analyse.accuracy import METRICS
from uniapl.publish.exports.numbers import Set, model_name, verdicts

TASK_VERSION = 1


def task_results(name: str, rows: pd.DataFrame) -> dict:
    """An entry of `results`: each metric, and of prompts its standard error, as lm-eval has them."""
    found = {"alias": name}
    for metric in METRICS:
        weights = rows.instructions if metric.startswith("inst") else None
        found[f"{metric},none"] = float(np.average(rows[metric], weights=weights))
        error = rows[metric].std(ddof=1) / np.sqrt(len(rows)) if weights is None and len(rows) > 1 else "N/A"
        found[f"{metric}_stderr,none"] = error if error == "N/A" else float(error)
    return found


def sample(number: int, row, set_: Set) -> dict:
    """A row of a samples file."""
    doc = {"key": row.key, "benchmark": row.benchmark, "test_sha256": set_.prompts}
    digest = hashlib.sha256(json.dumps(doc, default=str).encode()).hexdigest()
    return {
        "doc_id": number,
        "doc": doc,
        "target": "",
        "arguments": {},
        "resps": [],
        "filtered_resps": [],
        "filter": "none",
        "metrics": list(METRICS),
        "doc_hash": digest,
        "prompt_hash": digest,
        "target_hash": hashlib.sha256(b"").hexdigest(),
        **{metric: float(getattr(row, metric)) for metric in METRICS},
    }


def write(set_: Set, out: Path, now: int) -> list[Path]:
    """A folder per arm and seed."""
    date, paths = datetime.fromtimestamp(now).isoformat().replace(":", "-") + ".000000", []
    for arm in set_.arms:
        of_arm = verdicts(set_, arm)
        for seed, of_seed in of_arm.groupby("seed"):
            name = f"{model_name(set_, arm)}-seed{seed}"
            folder = out / f"uniapl-repro__{name}"
            folder.mkdir(parents=True)
            results, counts = {}, {}
            for benchmark, rows in of_seed.groupby("benchmark", observed=True):
                task = f"uniapl_{set_.manifest['scale']}_{benchmark}"
                results[task], counts[task] = task_results(task, rows), {"original": len(rows), "effective": len(rows)}
                paths.append(folder / f"samples_{task}_{date}.jsonl")
                with open(paths[-1], "w", encoding="utf-8") as file:
                    file.writelines(
                        json.dumps(sample(number, row, set_), default=str) + "\n"
                        for number, row in enumerate(rows.itertuples())
                    )
            whole = {
                "results": results,
                "group_subtasks": {task: [] for task in results},
                "configs": {task: {"task": task, "output_type": "generate_until"} for task in results},
                "versions": dict.fromkeys(results, TASK_VERSION),
                "n-shot": dict.fromkeys(results, 0),
                "higher_is_better": {task: dict.fromkeys(METRICS, True) for task in results},
                "n-samples": counts,
                "config": {"model": "hf", "model_args": f"pretrained=uniapl-repro/{name}", "limit": None},
                "git_hash": set_.manifest["commit"],
                "date": now,
                "model_source": "hf",
                "model_name": f"uniapl-repro/{name}",
                "model_name_sanitized": f"uniapl-repro__{name}",
            }
            paths.append(folder / f"results_{date}.json")
            paths[-1].write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    return paths
