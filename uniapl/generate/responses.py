"""Stage generate: what a checkpoint answers, through lm-eval's harness, and how probable it finds texts.

`python -m uniapl.generate --scale tiny --checkpoint M --base B --prompts test.jsonl --expert expert.jsonl --out FOLDER`
writes to FOLDER

    greedy.parquet, sampled.parquet   key, prompt, response, n_tokens: one row per prompt; the scale says how it samples
    on_policy.parquet                 the same at temperature 1, where the scale's sampling cuts the distribution
    logprobs.parquet                  key, text (expert | own), under (self | base), n_tokens, logprobs (list)
    harness.json                      lm-eval's own results and versions, the backend, the decodings, the share cut

`--decodings greedy`, which settings are chosen by, draws nothing: logprobs.parquet has no rows then.

Several checkpoints, and as many folders, are answered one after another in one process: its start takes as long as
half a checkpoint of the miniature. What one answers does not depend on those before it.

Log-probabilities are of the benchmark `trained`, or of its first prompts where the scale measures fewer; `own` is the
sampled response, at temperature 1 and uncut. Responses come from the harness as
text and are tokenized again; the end token is counted where the response ended by itself.
"""

import argparse
import dataclasses
import functools
import gc
import json
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path

from uniapl.config import DECODINGS, ON_POLICY, SAMPLED, Evaluation, Scale, load_scale
from uniapl.costs import machine
from uniapl.costs.fit import check_generation
from uniapl.data.prompts import responses_of
from uniapl.errors import UserError, one_line_errors
from uniapl.jsonl import read_jsonl
from uniapl.models import harness
from uniapl.models.checkpoints import load_policy, load_tokenizer, messages
from uniapl.models.precision import computing_dtype
from uniapl.models.startup import collector_paused
from uniapl.provenance import checksums

MEASURED = ["key", "text", "under", "n_tokens", "logprobs"]
TASKS = Path(__file__).resolve().parent / "tasks"


def decodings(evaluation: Evaluation, backend: str, asked: Collection[str] = DECODINGS) -> dict[str, dict]:
    """lm-eval's generation arguments of each decoding that is asked for, and with `sampled` of the one that measures.

    Raises UserError for a penalty that transformers has not.
    """
    sampling = dataclasses.asdict(evaluation.sampled)
    if backend == "transformers" and sampling.pop("presence_penalty"):
        raise UserError("transformers has no presence penalty: sample with vLLM, or name a Sampling without one")
    by_name = {"greedy": {"do_sample": False}, "sampled": {"do_sample": True, **sampling}}
    if evaluation.measured not in by_name:
        on_policy = {name: value for name, value in dataclasses.asdict(ON_POLICY).items() if name in sampling}
        by_name[evaluation.measured] = {"do_sample": True, **on_policy}
    return {name: by_name[name] for name in by_name if name in asked or SAMPLED in asked}


def write_tasks(folder: Path, prompts: Path, evaluation: Evaluation, by_name: dict[str, dict]) -> None:
    """Write one lm-eval task per decoding to `folder`: our YAML, with the prompts file and the decoding filled in."""
    for decoding, kwargs in by_name.items():
        task = {
            "include": str(TASKS / "uniapl_ifeval.yaml"),
            "task": decoding,
            "dataset_kwargs": {"data_files": {"test": str(prompts.resolve())}},
            "generation_kwargs": {"until": [], "max_gen_toks": evaluation.max_new_tokens, **kwargs},
        }
        (folder / f"{decoding}.yaml").write_text(json.dumps(task))  # JSON is YAML


def evaluate(lm, prompts: Path, evaluation: Evaluation, by_name: dict[str, dict]) -> dict:
    """lm-eval's results with samples, for every decoding (`decodings`) of every prompt."""
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    with tempfile.TemporaryDirectory() as folder:
        write_tasks(Path(folder), prompts, evaluation, by_name)
        return simple_evaluate(
            model=lm,
            tasks=list(by_name),
            task_manager=TaskManager(include_path=folder, include_defaults=False),
            apply_chat_template=True,
            log_samples=True,
            bootstrap_iters=0,
        )


def responses(samples: list[dict], tokenizer) -> list[dict]:
    """One row per prompt from the harness's samples, in order of key."""
    rows = [
        {"key": s["doc"]["key"], "prompt": s["doc"]["prompt"], "response": s["resps"][0][0]}
        for s in sorted(samples, key=lambda s: s["doc"]["key"])
    ]
    lengths = tokenizer([row["response"] for row in rows], add_special_tokens=False)["input_ids"]
    return [{**row, "n_tokens": len(ids)} for row, ids in zip(rows, lengths, strict=True)]


def logprobs(models: dict, tokenizer, texts: dict[str, list[dict]], evaluation: Evaluation) -> list[dict]:
    """Rows of logprobs.parquet: every text under every model, per token, in nats."""
    from uniapl.models.logprobs import token_logprobs

    rows = []
    for text, items in texts.items():
        pairs = []
        for item in items:
            chat = tokenizer.apply_chat_template(
                messages(item["prompt"]), add_generation_prompt=True, return_dict=False
            )
            ids = tokenizer(item["response"], add_special_tokens=False)["input_ids"]
            ended = len(ids) < evaluation.max_new_tokens
            pairs.append((chat, [*ids, tokenizer.eos_token_id] if ended else ids))
        for under, model in models.items():
            for item, values in zip(items, token_logprobs(model, pairs), strict=True):
                key = {"key": item["key"], "text": text, "under": under}
                rows.append({**key, "n_tokens": len(values), "logprobs": values.tolist()})
    return rows


def in_memory(scale: Scale) -> Callable:
    """What makes a model in memory lm-eval's: transformers' own decoding, or the engine's where the scale asks."""
    if not scale.compute.engine:
        return harness.model_harness
    from uniapl.models.decoding_harness import decoding_harness

    return functools.partial(decoding_harness, dtype=computing_dtype(scale.compute))


def answer(
    checkpoint: Path, base, prompts: Path, expert: dict, scale: Scale, out: Path, asked: Collection[str] = DECODINGS
) -> None:
    """Write one checkpoint's files to `out`. `base` is the base's model, `expert` the expert's response by key, `asked`
    the decodings.

    Without a base vLLM has the GPUs to itself. Then, and where greedy answers alone are asked for, nothing is measured,
    and logprobs.parquet has no rows.
    """
    import pandas as pd

    tokenizer, evaluation, model = load_tokenizer(checkpoint), scale.evaluation, None
    backend = scale.compute.evaluate if base else "vllm"
    by_name = decodings(evaluation, backend, asked)
    if base is None:
        evaluated = evaluate(harness.vllm_harness(checkpoint, harness.ALONE), prompts, evaluation, by_name)
    elif backend == "vllm":
        evaluated = evaluate(harness.vllm_harness(checkpoint, scale.compute.vllm_memory), prompts, evaluation, by_name)
        gc.collect()  # the engine holds its share of the memory until it is gone
        model = load_policy(checkpoint).to(base.device)
    else:
        model = load_policy(checkpoint).to(base.device)
        evaluated = evaluate(in_memory(scale)(model, tokenizer, evaluation.batch), prompts, evaluation, by_name)
    rows = {decoding: responses(samples, tokenizer) for decoding, samples in evaluated["samples"].items()}
    benchmark = {row["key"]: row["benchmark"] for row in read_jsonl(prompts)}
    on_trained_types = [row for row in rows.get(evaluation.measured, []) if benchmark[row["key"]] == "trained"]
    on_trained_types = on_trained_types[: evaluation.measured_prompts]
    texts = {"own": on_trained_types}
    if expert:
        texts["expert"] = [{**row, "response": expert[row["key"]]} for row in on_trained_types]

    out.mkdir(parents=True, exist_ok=True)
    logprob_rows = logprobs({"self": model, "base": base}, tokenizer, texts, evaluation) if base else []
    pd.DataFrame(logprob_rows, columns=MEASURED).to_parquet(out / "logprobs.parquet", index=False)
    for decoding, answers in rows.items():
        pd.DataFrame(answers).to_parquet(out / f"{decoding}.parquet", index=False)
    record = {key: evaluated[key] for key in ("results", "versions", "n-samples")}
    by = "engine" if scale.compute.engine and backend == "transformers" else backend
    limit = evaluation.max_new_tokens
    record["cut"] = {name: sum(row["n_tokens"] >= limit for row in of) / len(of) for name, of in rows.items()}
    record |= {"backend": by, "decodings": by_name}
    (out / "harness.json").write_text(json.dumps(record, indent=2, default=str) + "\n")
    checksums.record(out)


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", required=True)
    parser.add_argument("--checkpoint", type=Path, nargs="+", required=True)
    parser.add_argument("--base", type=Path, nargs="+", required=True, help="of each checkpoint, or one for all")
    parser.add_argument("--prompts", type=Path, required=True)
    parser.add_argument("--expert", type=Path, help="its responses; without them none is held against it")
    parser.add_argument("--out", type=Path, nargs="+", required=True, help="a folder per checkpoint, in their order")
    parser.add_argument("--responses-only", action="store_true", help="by vLLM, and no log-probabilities")
    parser.add_argument("--decodings", nargs="+", choices=DECODINGS, default=DECODINGS, help="default: both")
    args = parser.parse_args(argv)
    if len(args.checkpoint) != len(args.out):
        raise UserError(f"{len(args.checkpoint)} --checkpoint and {len(args.out)} --out: name a folder for each")
    bases = args.base * len(args.checkpoint) if len(args.base) == 1 else args.base
    if len(args.checkpoint) != len(bases):
        raise UserError(f"{len(args.checkpoint)} --checkpoint and {len(bases)} --base: name one for each, or one")
    scale = load_scale(args.scale)
    asked = read_jsonl(args.prompts, ("key", "prompt", "benchmark"))
    measured = [row for row in asked if row["benchmark"] == "trained"]
    expert = responses_of(args.expert, measured) if args.expert else {}
    with collector_paused():
        import lm_eval.models.huggingface  # noqa: F401 - with everything that it imports
        import torch

        harness.describe_once()

        machine.check(scale)
        for checkpoint, base in zip(args.checkpoint, bases, strict=True):
            held_against = None if args.responses_only else base
            check_generation(checkpoint, held_against, args.prompts, scale.evaluation, scale.compute)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        load = functools.lru_cache(maxsize=1)(lambda base: load_policy(base).to(device))  # one for all is read once
    for checkpoint, base, out in zip(args.checkpoint, bases, args.out, strict=True):
        held_against = None if args.responses_only else load(base)
        answer(checkpoint, held_against, args.prompts, expert, scale, out, args.decodings)
