"""Every Eval Ever, schema 0.3.0: data/<collection>/<developer>/<model>/<uuid>.json, and samples beside it.

Every number has its uncertainty block. Texts are not part of a published set: a sample names its prompt by the key in
test.jsonl, whose SHA-256 it has, and has no output; its verdict is there. The UUID follows from set and arm, so that an
export made again replaces itself.
"""

import hashlib
import importlib.metadata
import json
import uuid
from pathlib import Path

from uniapl.provenance import sha256_of
from uniapl.publish.exports.numbers import RESAMPLES, Number, Set, model_name, verdicts

VERSION, COLLECTION, DEVELOPER = "0.3.0", "uniapl-repro", "uniapl-repro"
SAMPLED = "prompt_strict"  # the metric whose verdicts are the samples


def identity(set_: Set, arm: str) -> uuid.UUID:
    """Of the form of a random UUID, as the schema asks, from set and arm."""
    return uuid.UUID(bytes=hashlib.sha256(f"{set_.manifest['id']}/{arm}".encode()).digest()[:16], version=4)


def result_id(number: Number) -> str:
    return f"{number.benchmark}/{number.metric}"


def result(number: Number, set_: Set) -> dict:
    """One entry of evaluation_results."""
    interval = {"lower": number.low, "upper": number.high, "confidence_level": 0.95, "method": number.method}
    resampled = {"num_bootstrap_samples": RESAMPLES} if "bootstrap" in number.method else {}
    return {
        "evaluation_result_id": result_id(number),
        "evaluation_name": f"uniapl-repro {set_.manifest['scale']}: {number.benchmark}",
        "source_data": {
            "dataset_name": f"test prompts of scale {set_.manifest['scale']}, {number.benchmark}",
            "source_type": "other",
            "additional_details": {"sha256 of test.jsonl": set_.prompts},
        },
        "metric_config": {
            "metric_id": f"ifeval.{number.metric}",
            "metric_name": number.metric,
            "metric_kind": "accuracy",
            "metric_unit": "percent",
            "lower_is_better": False,
            "score_type": "continuous",
            "min_score": 0,
            "max_score": 100,
        },
        "score_details": {
            "score": number.estimate,
            "details": {"seeds": str(number.n_seeds)},
            "uncertainty": {"confidence_interval": interval, "num_samples": number.n_prompts, **resampled},
        },
    }


def record(set_: Set, arm: str, now: int, samples: Path, path: str) -> dict:
    """The whole record of an arm. `now`: seconds since 1970; `path`: of the samples in the collection."""
    cards = [card for card in set_.cards if card["arm"] == arm]
    model = f"{DEVELOPER}/{model_name(set_, arm)}"
    details = {"deployment_type": "self_deployed", "model_availability": "unknown"}
    if cards:
        details |= {"seeds": str(len(cards)), "started from": str(cards[0]["start_arm"])}
        details |= {f"weights of seed {card['seed']}": card["weights_sha256"] for card in cards}
    library = importlib.metadata.version("uniapl-repro")
    return {
        "schema_version": VERSION,
        "evaluation_id": f"{COLLECTION}/{model.replace('/', '_')}/{now}",
        "retrieved_timestamp": str(now),
        "source_metadata": {
            "source_name": set_.manifest["id"],
            "source_type": "evaluation_run",
            "source_organization_name": "UniAPL-repro",
            "evaluator_relationship": "first_party",
            "additional_details": {"commit": set_.manifest["commit"]},
        },
        "eval_library": {"name": "uniapl-repro", "version": library},
        "model_info": {"name": arm, "id": model, "developer": DEVELOPER, "additional_details": details},
        "evaluation_results": [result(number, set_) for number in set_.of(arm)],
        "detailed_evaluation_results": {
            "format": "jsonl",
            "file_path": path,
            "hash_algorithm": "sha256",
            "checksum": sha256_of(samples),
            "total_rows": sum(1 for _ in open(samples, encoding="utf-8")),
        },
    }


def samples_of(set_: Set, arm: str, evaluation_id: str) -> list[dict]:
    """A sample per seed and prompt: whether all of its instructions are followed, strictly."""
    model = f"{DEVELOPER}/{model_name(set_, arm)}"
    return [
        {
            "schema_version": VERSION,
            "evaluation_id": evaluation_id,
            "model_id": model,
            "evaluation_name": f"uniapl-repro {set_.manifest['scale']}: {row.benchmark}",
            "evaluation_result_id": f"{row.benchmark}/{SAMPLED}",
            "sample_id": f"{row.key}, seed {row.seed}",
            "interaction_type": "single_turn",
            "input": {"raw": f"key {row.key} of test.jsonl, SHA-256 {set_.prompts}", "reference": []},
            "output": {"raw": []},
            "messages": None,
            "answer_attribution": [],
            "evaluation": {"score": float(row.prompt_strict), "is_correct": bool(row.prompt_strict)},
        }
        for row in verdicts(set_, arm).itertuples()
    ]


def write(set_: Set, out: Path, now: int) -> list[Path]:
    """A record and a file of samples for each arm."""
    paths = []
    for arm in set_.arms:
        place = f"data/{COLLECTION}/{DEVELOPER}/{model_name(set_, arm)}/{identity(set_, arm)}"
        path, samples = out / f"{place}.json", out / f"{place}_samples.jsonl"
        path.parent.mkdir(parents=True)
        evaluation = f"{COLLECTION}/{DEVELOPER}_{model_name(set_, arm)}/{now}"
        with open(samples, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(sample) + "\n" for sample in samples_of(set_, arm, evaluation))
        written = record(set_, arm, now, samples, f"{place}_samples.jsonl")
        path.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
        paths += [path, samples]
    return paths


def read(path: Path) -> dict[str, tuple[float, float, float]]:
    """result id -> (estimate, low, high) in percent of a record that `write` wrote."""
    found = {}
    for one in json.loads(path.read_text(encoding="utf-8"))["evaluation_results"]:
        interval = one["score_details"]["uncertainty"]["confidence_interval"]
        bounds = interval["lower"], interval["upper"]
        found[one["evaluation_result_id"]] = (one["score_details"]["score"], *bounds)
    return found
