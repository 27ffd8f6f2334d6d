"""General benchmarks through lm-eval: which, at what version, with how many examples; and their rows.

    python -m uniapl.generate.suite                                                     what the suites hold
    python -m uniapl.generate.suite --suite miniature --model CHECKPOINT --out rows.csv
    python -m uniapl.generate.suite --samples FOLDER --out rows.csv      of `lm_eval --log_samples`, with its verdicts

`--samples` takes lm-eval's verdicts as they are, of any version of a task; `uniapl score` computes IFEval's anew.

A row is one value of one prompt: task, doc_id, metric (lm-eval's name with its filter, such as
`exact_match,strict-match`), value. The mean over a task's rows is lm-eval's figure, but for what lm-eval pools, as the
instruction-level accuracy: there a row is the prompt's share. Of answers with a limit of their own there is the
metric `cut` too: 1 where the limit ended it. `general` reads the benchmarks from the hub or its cache; `everyday` has
procedural questions and texts of this repository and of envs/small.txt (uniapl/generate/tasks/general.py);
`miniature` needs no data, and exists so that the path is exercised.

Tasks that run the code which the model wrote are left out unless --run-code is given: that code runs on this machine
with this user's rights.
"""

import argparse
import hashlib
import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, fields
from pathlib import Path

import pandas as pd

from uniapl.config.suites import COLUMNS, CONTEXT, CUT, SUITES, Task
from uniapl.errors import UserError, at_least_one, one_line_errors
from uniapl.jsonl import read_jsonl, whole
from uniapl.models import harness
from uniapl.models.checkpoints import checkpoint, load_policy, load_tokenizer
from uniapl.provenance import checksums
from uniapl.scorers.files import ENDINGS, write_frame

TASKS = Path(__file__).resolve().parent / "tasks"
BACKENDS = ("transformers", "engine", "vllm")
HUB_ID = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")


def tasks_that_may_run(suite: Iterable[Task], *, run_code: bool) -> list[Task]:
    """The benchmarks of a suite that may run."""
    return [benchmark for benchmark in suite if run_code or not benchmark.code]


def _value(metric: object) -> float | None:
    """One metric of one prompt as a number: a list of verdicts is their share; None where only an aggregate is one."""
    if isinstance(metric, list) and metric and all(isinstance(verdict, bool) for verdict in metric):
        return sum(metric) / len(metric)
    try:
        return None if isinstance(metric, list | tuple | str) else float(metric)
    except TypeError:
        return None


def metrics_of(sample: Mapping, where: str) -> list[str]:
    """The metrics that a sample names. Raises UserError where lm-eval did not write what a row needs.

    Before 0.4.7 it named neither metrics nor filter, so that a task's filters cannot be told apart.
    """
    if absent := [name for name in ("metrics", "filter") if name not in sample]:
        raise UserError(f"{where}: no {' and no '.join(absent)}: lm-eval before 0.4.7 wrote it; run 0.4.7 or newer")
    number, metrics = whole(sample.get("doc_id")), sample["metrics"]
    if not isinstance(number, int):
        raise UserError(f"{where}: doc_id is {number!r}, and must be the number of its prompt: run lm-eval again")
    if not isinstance(metrics, list) or (absent := [name for name in metrics if name not in sample]):
        raise UserError(f"{where}: metrics must list names that the sample has, and are {metrics!r:.60}")
    return metrics


def rows(results: Mapping) -> pd.DataFrame:
    """One row (see COLUMNS) per task, prompt and metric of lm-eval's result. Raises UserError where it has no samples.

    Metrics without a value per prompt (perplexity, F1, correlations: lm-eval keeps tuples for these) have no rows.
    """
    if not results.get("samples"):
        raise UserError("the result has no samples: run lm-eval with --log_samples (log_samples=True)")
    measured_rows = [
        (task, int(sample["doc_id"]), f"{metric},{sample['filter']}", _value(sample[metric]))
        for task, samples in results["samples"].items()
        for number, sample in enumerate(samples, start=1)
        for metric in metrics_of(sample, f"{task}: sample {number}")
    ]
    return pd.DataFrame(measured_rows, columns=COLUMNS).dropna(subset="value", ignore_index=True)


def read_samples(folder: Path) -> dict:
    """The samples that `lm_eval --log_samples --output_path FOLDER` wrote, as `rows` takes them. Raises UserError."""
    if folder.is_file():
        raise UserError(f"{folder}: is a file: give its folder, {folder.parent}, or score its answers: uniapl score")
    samples: dict[str, list[dict]] = {}
    for path in sorted(folder.rglob("samples_*.jsonl")):
        task = re.sub(r"_\d{4}-\d\d-\d\dT[\d.:-]+$", "", path.stem.removeprefix("samples_"))
        if task in samples:
            raise UserError(f"{folder}: holds two runs of {task}: name the folder of one")
        samples[task] = read_jsonl(path)
    if not samples:
        raise UserError(f"{folder}: holds no samples_*.jsonl: run lm_eval with --log_samples --output_path {folder}")
    return {"samples": samples}


def task_manager(suite: Iterable[Task]):
    """lm-eval's, with our tasks; lm-eval's own 14,000, which take seconds to list, where one of them is asked for."""
    from lm_eval.tasks import TaskManager

    ours = all((TASKS / f"{benchmark.name}.yaml").exists() for benchmark in suite)
    return TaskManager(include_path=str(TASKS), include_defaults=not ours)


def check_data(suite: Iterable[Task], manager) -> None:
    """Raise UserError where a benchmark's data set is not to be had: before a model is loaded, not hours later."""
    causes = {}
    for benchmark in suite:
        try:
            manager.load([benchmark.name])
        except Exception as error:  # of datasets, the hub, the task: no common class
            causes[benchmark.name] = f"{type(error).__name__}: {error}"
    if causes:
        raise UserError(
            f"no data set of {', '.join(causes)} loads (the first: {next(iter(causes.values()))}); fetch them with "
            "`uniapl suite --suite NAME --fetch`, or take them out of the suite (uniapl/config/suites.py)"
        )


def mark_cut(samples: list[dict], lm, tokens: int) -> None:
    """Add the metric CUT to samples: 1 where an answer has as many tokens as it may."""
    for sample in samples:
        sample[CUT] = float(len(lm.tok_encode(sample["resps"][0][0])) >= tokens)
        sample["metrics"] = [*sample["metrics"], CUT]


def evaluate(lm, suite: Iterable[Task], *, run_code: bool = False, limit: int | None = None) -> dict:
    """lm-eval's results, versions and samples of the benchmarks that may run. Raises UserError at another version.

    One call of the harness for each: its number of examples holds for a whole call.
    """
    from lm_eval import simple_evaluate

    harness.describe_once()
    if run_code:
        os.environ["HF_ALLOW_CODE_EVAL"] = "1"
    suite = tasks_that_may_run(suite, run_code=run_code)
    manager = task_manager(suite)
    merged: dict[str, dict] = {"results": {}, "versions": {}, "samples": {}}
    for benchmark in suite:
        answers = {"max_gen_toks": benchmark.tokens} if benchmark.tokens else {}
        answers |= {"until": list(benchmark.until)} if benchmark.until is not None else {}
        results = simple_evaluate(
            model=lm,
            tasks=[benchmark.name],
            num_fewshot=benchmark.few_shot,
            task_manager=manager,
            gen_kwargs=answers or None,
            apply_chat_template=True,
            log_samples=True,
            bootstrap_iters=0,
            limit=limit,
            confirm_run_unsafe_code=benchmark.code,
        )
        version = results["versions"].get(benchmark.name)
        if str(version) != str(benchmark.version):  # a group's is text
            raise UserError(f"{benchmark.name}: lm-eval has version {version}, the suite names {benchmark.version}")
        for samples in results["samples"].values() if benchmark.tokens else ():
            mark_cut(samples, lm, benchmark.tokens)
        for part in merged:
            merged[part] |= results[part]
    return merged


def source_of(model: str, asked: object) -> str:
    """A digest of a checkpoint's files, by name, size and time, and of what it is asked."""
    files = sorted(Path(model).iterdir()) if Path(model).is_dir() else []
    stats = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return hashlib.sha256(repr((model, stats, asked)).encode()).hexdigest()[:16]


def ask(model: str, suite: Sequence[Task], out: Path, *, batch: int, backend: str, run_code: bool, limit: int | None):
    """The rows of the benchmarks that may run, written to `out`. Raises UserError where there is none.

    Each benchmark's are kept beside `out` until all have theirs: what ends the run, at the eighth of eleven, costs that
    one. Data sets are looked for before the model is loaded. Raises UserError as `load`, `check_data` and `evaluate`.
    """
    parts = out.with_name(f"{out.name}.parts")
    suite = tasks_that_may_run(suite, run_code=run_code)
    if not suite:
        raise UserError("the suite has no benchmark that may run: choose another --suite")
    kept = {one: parts / f"{one.name}-{source_of(model, (one, backend, limit))}.parquet" for one in suite}
    if left := [one for one in suite if not kept[one].is_file()]:
        resolve_model(model)
        check_data(left, task_manager(left))
        lm = load(model, batch, backend)
        for benchmark in left:
            write_frame(rows(evaluate(lm, [benchmark], run_code=run_code, limit=limit)), kept[benchmark])
    frame = pd.concat([pd.read_parquet(path) for path in kept.values()], ignore_index=True)
    write_frame(frame, out)
    shutil.rmtree(parts)
    return frame


def load(model: str, batch: int, backend: str = "transformers"):
    """A checkpoint's folder, or a hub id, as lm-eval's model. vLLM and the engine need a folder, vLLM a GPU to itself.

    Raises UserError where there is no such checkpoint.
    """
    name = resolve_model(model)
    if backend == "vllm":
        return harness.vllm_harness(Path(model), harness.ALONE, CONTEXT)
    if backend == "engine":
        from uniapl.models.decoding_harness import decoding_harness

        return decoding_harness(load_policy(Path(model)).eval(), load_tokenizer(Path(model)), batch)
    import torch
    from lm_eval.models.huggingface import HFLM

    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return HFLM(pretrained=name, dtype="auto", batch_size=batch, device=device)
    except OSError:  # transformers': its text is long, and may quote a request
        raise UserError(
            f"{model}: no checkpoint that transformers can read, neither in a folder of this name nor on the hub"
        ) from None


def resolve_model(model: str) -> str:
    """What transformers reads: a folder with its absolute path, since a relative one may be a hub id too, or a hub id.

    Raises UserError for a folder without checkpoint, and for what is neither.
    """
    folder = Path(model)
    if folder.is_dir():
        return str(checkpoint(folder).resolve())
    if not HUB_ID.fullmatch(model) or "/" in model and folder.parent.is_dir():
        raise UserError(f"{model}: no such folder, and no hub id such as Qwen/Qwen3-0.6B; name one of both")
    return model


def table() -> pd.DataFrame:
    """What the suites hold."""
    names = ["suite", *(field.name for field in fields(Task))]
    rows = [(name, *astuple(benchmark)) for name, suite in SUITES.items() for benchmark in suite]
    return pd.DataFrame(rows, columns=names).drop(columns="until")


def means(frame: pd.DataFrame) -> pd.DataFrame:
    """Per task and metric the mean over prompts, and their number."""
    return frame.groupby(["task", "metric"], sort=False)["value"].agg(n="size", mean="mean").reset_index()


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--suite", choices=SUITES)
    source.add_argument("--samples", type=Path, help="a folder that lm_eval --log_samples wrote: its verdicts, as rows")
    parser.add_argument("--model", help="a checkpoint's folder or a hub id")
    parser.add_argument("--out", type=Path, help="rows, as CSV or Parquet by the name's ending")
    parser.add_argument("--run-code", action="store_true", help="run the code that the model writes, on this machine")
    parser.add_argument("--fetch", action="store_true", help="load the suite's data sets into the cache, and end")
    parser.add_argument("--limit", type=int, help="prompts per task, for a trial")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--backend", choices=BACKENDS, default=BACKENDS[0])
    args = parser.parse_args(argv)
    at_least_one(args, "limit", "batch")
    if not (args.suite or args.samples):
        print(table().to_string(index=False))
        return
    if args.suite and args.fetch:
        asked = tasks_that_may_run(SUITES[args.suite], run_code=args.run_code)
        check_data(asked, task_manager(asked))
        print(f"{len(asked)} benchmarks load: {', '.join(one.name for one in asked)}")
        return
    if args.suite and not args.model or not args.out:
        raise UserError("--suite needs --model and --out, --samples needs --out")
    if args.out.suffix not in ENDINGS:
        raise UserError(f"{args.out}: must end in {' or '.join(ENDINGS)}")
    if args.samples:
        frame = rows(read_samples(args.samples))
        write_frame(frame, args.out)
    else:
        left = [benchmark.name for benchmark in SUITES[args.suite] if benchmark.code and not args.run_code]
        if left:
            print(f"left out, because they run code (--run-code): {', '.join(left)}", file=sys.stderr)
        options = {"batch": args.batch, "backend": args.backend, "run_code": args.run_code, "limit": args.limit}
        frame = ask(args.model, SUITES[args.suite], args.out, **options)
    checksums.record(args.out)
    print(means(frame).to_string(index=False))


if __name__ == "__main__":
    main()
