"""Stage generate: what a checkpoint answers, through lm-eval's harness, and how probable it finds texts.

`python -m uniapl.generate --scale tiny --checkpoint M --base B --prompts test.jsonl --expert expert.jsonl --out FOLDER`
writes to FOLDER

    greedy.parquet, sampled.parquet   key, prompt, response, n_tokens: one row per prompt; the scale says how it samples
    logprobs.parquet                  key, text (expert | own), under (self | base), n_tokens, logprobs (list)
    harness.json                      lm-eval's own results and versions, the backend, the decodings

Several checkpoints, and as many folders, are answered one after another in one process: its start takes as long as
half a checkpoint of the miniature. What one answers does not depend on those before it.

Log-probabilities are of the benchmark `trained`; `own` is the sampled response. Responses come from the harness as
text and are tokenized again; the end token is counted where the response ended by itself.
"""

import argparse
import dataclasses
import gc
import json
import tempfile
from pathlib import Path

from uniapl import checksums
from uniapl.config import DECODINGS, Evaluation, Scale, load_scale
from uniapl.costs.fit import check_generation
from uniapl.data.prompts import responses_of
from uniapl.errors import UserError, one_line_errors
from uniapl.jsonl import read_jsonl
from uniapl.models import harness
from uniapl.models.checkpoints import load_policy, load_tokenizer, messages
from uniapl.models.startup import collector_paused

MEASURED = ["key", "text", "under", "n_tokens", "logprobs"]
TASKS = Path(__file__).resolve().parent / "tasks"


def decodings(evaluation: Evaluation, backend: str) -> dict[str, dict]:
    """lm-eval's generation arguments of each decoding. Raises UserError for a penalty that transformers has not."""
    drawn = dataclasses.asdict(evaluation.sampled)
    if backend == "transformers" and drawn.pop("presence_penalty"):
        raise UserError("transformers has no presence penalty: sample with vLLM, or name a Sampling without one")
    return {"greedy": {"do_sample": False}, "sampled": {"do_sample": True, **drawn}}


def write_tasks(folder: Path, prompts: Path, evaluation: Evaluation, backend: str) -> None:
    """Write one lm-eval task per decoding to `folder`: our YAML, with the prompts file and the decoding filled in."""
    for decoding, kwargs in decodings(evaluation, backend).items():
        task = {
            "include": str(TASKS / "uniapl_ifeval.yaml"),
            "task": decoding,
            "dataset_kwargs": {"data_files": {"test": str(prompts.resolve())}},
            "generation_kwargs": {"until": [], "max_gen_toks": evaluation.max_new_tokens, **kwargs},
        }
        (folder / f"{decoding}.yaml").write_text(json.dumps(task))  # JSON is YAML


def evaluate(lm, prompts: Path, evaluation: Evaluation, backend: str) -> dict:
    """lm-eval's results with samples, for greedy and sampled decoding of every prompt."""
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    with tempfile.TemporaryDirectory() as folder:
        write_tasks(Path(folder), prompts, evaluation, backend)
        return simple_evaluate(
            model=lm,
            tasks=list(DECODINGS),
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


def answer(checkpoint: Path, base, prompts: Path, expert: dict, scale: Scale, out: Path) -> None:
    """Write one checkpoint's files to `out`. `base` is the base's model, `expert` the expert's response by key.

    Without a base vLLM has the GPUs to itself, nothing is measured, and logprobs.parquet has no rows.
    """
    import pandas as pd

    tokenizer, evaluation, model = load_tokenizer(checkpoint), scale.evaluation, None
    backend = scale.compute.evaluate if base else "vllm"
    if base is None:
        found = evaluate(harness.vllm_harness(checkpoint, harness.ALONE), prompts, evaluation, backend)
    elif backend == "vllm":
        found = evaluate(harness.vllm_harness(checkpoint, scale.compute.vllm_memory), prompts, evaluation, backend)
        gc.collect()  # the engine holds its share of the memory until it is gone
        model = load_policy(checkpoint).to(base.device)
    else:
        model = load_policy(checkpoint).to(base.device)
        found = evaluate(harness.model_harness(model, tokenizer, evaluation.batch), prompts, evaluation, backend)
    rows = {decoding: responses(found["samples"][decoding], tokenizer) for decoding in DECODINGS}
    benchmark = {row["key"]: row["benchmark"] for row in read_jsonl(prompts)}
    own = [row for row in rows["sampled"] if benchmark[row["key"]] == "trained"]
    texts = {"own": own}
    if expert:
        texts["expert"] = [{**row, "response": expert[row["key"]]} for row in own]

    out.mkdir(parents=True, exist_ok=True)
    measured = logprobs({"self": model, "base": base}, tokenizer, texts, evaluation) if base else []
    pd.DataFrame(measured, columns=MEASURED).to_parquet(out / "logprobs.parquet", index=False)
    for decoding in DECODINGS:
        pd.DataFrame(rows[decoding]).to_parquet(out / f"{decoding}.parquet", index=False)
    record = {key: found[key] for key in ("results", "versions", "n-samples")}
    record |= {"backend": backend, "decodings": decodings(evaluation, backend)}
    (out / "harness.json").write_text(json.dumps(record, indent=2, default=str) + "\n")
    checksums.record(out)


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", required=True)
    parser.add_argument("--checkpoint", type=Path, nargs="+", required=True)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--prompts", type=Path, required=True)
    parser.add_argument("--expert", type=Path, help="its responses; without them none is held against it")
    parser.add_argument("--out", type=Path, nargs="+", required=True, help="a folder per checkpoint, in their order")
    parser.add_argument("--responses-only", action="store_true", help="by vLLM, and no log-probabilities")
    args = parser.parse_args(argv)
    if len(args.checkpoint) != len(args.out):
        raise UserError(f"{len(args.checkpoint)} --checkpoint and {len(args.out)} --out: name a folder for each")
    scale = load_scale(args.scale)
    asked = read_jsonl(args.prompts, ("key", "prompt", "benchmark"))
    measured = [row for row in asked if row["benchmark"] == "trained"]
    expert = responses_of(args.expert, measured) if args.expert else {}
    with collector_paused():
        import lm_eval.models.huggingface  # noqa: F401 - with everything that it imports
        import torch

        harness.describe_once()

        for checkpoint in args.checkpoint:
            base = None if args.responses_only else args.base
            check_generation(checkpoint, base, args.prompts, scale.evaluation, scale.compute)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        base = None if args.responses_only else load_policy(args.base).to(device)
    for checkpoint, out in zip(args.checkpoint, args.out, strict=True):
        answer(checkpoint, base, args.prompts, expert, scale, out)
