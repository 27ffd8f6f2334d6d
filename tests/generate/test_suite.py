"""General benchmarks: names and versions that lm-eval has, and rows that carry its own figures."""

import json
from pathlib import Path

import datasets
import lm_eval.tasks
import pandas as pd
import pytest
from lm_eval.api.model import LM
from lm_eval.tasks import TaskManager
from support import miniature

from uniapl.config.suites import SUITES, Task
from uniapl.errors import UserError
from uniapl.generate import suite
from uniapl.generate.suite import read_samples, rows, tasks_that_may_run
from uniapl.generate.tasks import miniature as tasks
from uniapl.models import harness

INSTALLED = Path(lm_eval.tasks.__file__).parent
FOLDERS = "mmlu/default arc gsm8k humaneval mbpp ceval bbh/cot_fewshot hellaswag winogrande".split()


@pytest.fixture(scope="module")
def index():
    from lm_eval.tasks._index import TaskIndex

    return TaskIndex.build([*(INSTALLED / folder for folder in FOLDERS), suite.TASKS])


def configurations(index, name: str) -> list[dict]:
    """Of a task, or of every task in a group."""
    cfg = index[name].cfg
    if isinstance(cfg.get("task"), str):
        return [cfg]
    return [one for member in cfg["task"] for one in configurations(index, member) if member in index]


@pytest.mark.parametrize("benchmark", [b for held in SUITES.values() for b in held], ids=lambda b: b.name)
def test_lm_eval_has_the_task_at_this_version(index, benchmark):
    assert str(index[benchmark.name].cfg["metadata"]["version"]) == str(benchmark.version)


@pytest.mark.parametrize(
    "benchmark", [b for held in SUITES.values() for b in held if b.name != "mmlu"], ids=lambda b: b.name
)
def test_what_runs_code_is_marked_and_fixed_examples_are_kept(index, benchmark):
    found = configurations(index, benchmark.name)
    assert found
    assert {bool(cfg.get("unsafe_code")) for cfg in found} == {benchmark.code}
    assert {cfg.get("num_fewshot") for cfg in found} <= {None, benchmark.few_shot}


@pytest.mark.parametrize(
    "benchmark", [b for held in SUITES.values() for b in held if b.name != "mmlu"], ids=lambda b: b.name
)
def test_every_task_has_the_metric_that_tables_show(index, benchmark):
    metric, filter_ = benchmark.metric.split(",")
    metric = {"pass@1": "pass_at_k"}.get(metric, metric)  # the function gives one value for each k
    for cfg in configurations(index, benchmark.name):
        assert metric in {str(one["metric"]).rsplit(".", 1)[-1] for one in cfg["metric_list"]}
        assert filter_ in {one["name"] for one in cfg.get("filter_list", [{"name": "none"}])}


def test_every_ability_of_the_paper_has_a_benchmark():
    abilities = {"English", "mathematics", "coding", "Chinese", "multi-step reasoning", "commonsense"}
    assert {benchmark.ability for benchmark in SUITES["general"]} == abilities


def test_code_runs_only_when_it_is_switched_on():
    safe = [benchmark.name for benchmark in tasks_that_may_run(SUITES["general"], run_code=False)]
    assert "humaneval_instruct" not in safe and "mbpp_instruct" not in safe and "mmlu" in safe
    assert tasks_that_may_run(SUITES["general"], run_code=True) == list(SUITES["general"])


# the adapter --------------------------------------------------------------------------------------


def sample(doc_id: int, filter: str, **metrics) -> dict:
    return {"doc_id": doc_id, "doc": {}, "filter": filter, "metrics": list(metrics), **metrics}


RESULT = {
    "samples": {
        "gsm8k": [
            sample(0, "strict-match", exact_match=1),
            sample(1, "strict-match", exact_match=0),
            sample(0, "flexible-extract", exact_match=1),
            sample(1, "flexible-extract", exact_match=1),
        ],
        "choice": [sample(5, "none", acc=True, acc_norm=0.25, perplexity=(-2.0, 4), f1=(1, 0), name="x", none=None)],
        "followed": [sample(0, "none", inst=[True, True, False, True])],
    }
}
ROWS = [
    ("gsm8k", 0, "exact_match,strict-match", 1.0),
    ("gsm8k", 1, "exact_match,strict-match", 0.0),
    ("gsm8k", 0, "exact_match,flexible-extract", 1.0),
    ("gsm8k", 1, "exact_match,flexible-extract", 1.0),
    ("choice", 5, "acc,none", 1.0),
    ("choice", 5, "acc_norm,none", 0.25),
    ("followed", 0, "inst,none", 0.75),
]


def test_one_row_per_prompt_and_metric_with_its_filter():
    found = rows(RESULT)
    assert list(found) == ["task", "doc_id", "metric", "value"]
    assert [tuple(row) for row in found.itertuples(index=False)] == ROWS


def test_a_result_without_samples_is_one_line():
    for result in ({"results": {}}, {"samples": {}}, {"samples": None}):
        with pytest.raises(UserError, match="run lm-eval with --log_samples"):
            rows(result)


def test_files_of_lm_eval_give_the_same_rows(tmp_path):
    for task, samples in RESULT["samples"].items():
        path = tmp_path / "model" / f"samples_{task}_2025-01-02T03-04-05.678901.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(json.dumps(one) + "\n" for one in samples))
    found = rows(read_samples(tmp_path)).sort_values(list(suite.COLUMNS), ignore_index=True)
    pd.testing.assert_frame_equal(found, rows(RESULT).sort_values(list(suite.COLUMNS), ignore_index=True))
    (tmp_path / "samples_gsm8k_2026-01-02T03-04-05.678901.jsonl").write_text("{}\n")
    with pytest.raises(UserError, match="holds two runs of gsm8k"):
        read_samples(tmp_path)
    with pytest.raises(UserError, match="holds no samples"):
        read_samples(tmp_path / "absent")


# the miniature ------------------------------------------------------------------------------------


def test_the_choices_have_one_sentence_about_the_topic_in_every_place():
    found = tasks.sentences()
    for row in found:
        nouns = tasks.TOPICS[row["question"].removeprefix("Write about the ").rstrip(".")][0]
        about = [any(f" {noun} " in choice for noun in nouns) for choice in row["choices"]]
        assert about == [i == row["gold"] for i in range(4)], row
    assert len(found) == 60 and {row["gold"] for row in found} == {0, 1, 2, 3}


@pytest.fixture(scope="module")
def evaluated():
    from lm_eval.models.huggingface import HFLM

    lm = HFLM(
        pretrained=miniature.policy(), tokenizer=miniature.tokenizer(), batch_size=16, max_length=256, device="cpu"
    )
    return suite.evaluate(lm, SUITES["miniature"], limit=12)


def test_the_harness_runs_both_kinds_and_the_rows_have_its_figures(evaluated):
    found = suite.means(rows(evaluated))
    assert len(found) == 3 and (found["n"] == 12).all()
    for row in found.itertuples():
        assert evaluated["results"][row.task][row.metric] == pytest.approx(row.mean)
    assert set(found["metric"]) == {"exact_match,last-sentence", "acc,none", "acc_norm,none"}


def test_the_choice_is_by_likelihood_and_shown_two_examples(evaluated):
    for one in evaluated["samples"]["uniapl_miniature_choice"]:
        scores = [float(response[0][0]) for response in one["resps"]]
        assert one["acc"] == (scores.index(max(scores)) == one["doc"]["gold"])
        assert one["arguments"][0][0].count("Write about the") == 3


def test_the_expert_closes_with_the_phrase_that_is_extracted():
    from lm_eval.tasks import TaskManager

    manager = TaskManager(include_path=str(suite.TASKS), include_defaults=False)
    task = manager.load(["uniapl_miniature_generation"])["tasks"]["uniapl_miniature_generation"]
    task.build_all_requests(limit=2)
    for instance, said in zip(task.instances, ("The tide rises.\n{}\n", "{} The tide rises."), strict=True):
        instance.resps = [said.format(instance.doc["answer"])]
    task.apply_filters()
    found = [task.process_results(i.doc, [i.filtered_resps["last-sentence"]]) for i in task.instances]
    assert [one["exact_match"] for one in found] == [1.0, 0.0]


def test_another_version_of_a_task_is_refused():
    from lm_eval.models.huggingface import HFLM

    lm = HFLM(pretrained=miniature.policy(), tokenizer=miniature.tokenizer(), max_length=256, device="cpu")
    old = Task("uniapl_miniature_generation", "closing phrases", 0.5, few_shot=0)
    with pytest.raises(UserError, match="has version 1.0, the suite names 0.5"):
        suite.evaluate(lm, [old], limit=1)


@pytest.mark.parametrize("option", ["--limit", "--batch"])
def test_no_prompt_at_all_is_refused(option, capsys):
    with pytest.raises(SystemExit) as ended:
        suite.main(["--suite", "miniature", "--model", "none", "--out", "rows.csv", option, "0"])
    assert ended.value.code == 2 and capsys.readouterr().err == f"error: {option} 0: must be at least 1\n"


def test_a_suite_without_benchmarks_is_one_line(capsys):
    with pytest.raises(SystemExit) as ended:
        suite.main(["--suite", "none", "--model", "M", "--out", "rows.csv"])
    said = "error: the suite has no benchmark that may run: choose another --suite\n"
    assert ended.value.code == 2 and capsys.readouterr().err == said


def test_a_model_that_is_nowhere_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # 23 s between the questions to a hub that is not there
    for name in ("resluts/local/model", "./modle", "uniapl/modle"):
        with pytest.raises(UserError, match=f"{name}: no such folder, and no hub id"):
            suite.load(name, 1)
    with pytest.raises(UserError, match="holds no checkpoint: no config.json"):
        suite.load(str(tmp_path), 1)
    (tmp_path / "config.json").write_text('{"model_type": "qwen3"}')
    for name in (str(tmp_path), "nobody/nothing"):  # without weights; a hub id, offline
        with pytest.raises(UserError, match=f"^{name}: no checkpoint that transformers can read"):
            suite.load(name, 1)


def test_the_command_lists_evaluates_and_reads(tmp_path, capsys):
    suite.main([])
    assert "humaneval_instruct" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        suite.main(["--suite", "miniature"])
    assert "--suite needs --model and --out" in capsys.readouterr().err

    miniature.policy().save_pretrained(tmp_path / "model")
    miniature.tokenizer().save_pretrained(tmp_path / "model")
    line = ["--suite", "miniature", "--model", str(tmp_path / "model"), "--limit", "3", "--out"]
    suite.main([*line, str(tmp_path / "rows.csv")])
    found = pd.read_csv(tmp_path / "rows.csv")
    assert list(found) == suite.COLUMNS and len(found) == 9


# What a run of hours must not lose -------------------------------------------------------------------


@pytest.fixture
def checkpoint(tmp_path):
    """A folder with a random policy."""
    miniature.policy().save_pretrained(tmp_path / "model")
    miniature.tokenizer().save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def line(checkpoint, out) -> list[str]:
    return ["--suite", "miniature", "--model", str(checkpoint), "--limit", "2", "--out", str(out)]


def test_what_was_answered_before_a_failure_is_not_asked_again(checkpoint, tmp_path, monkeypatch):
    asked, evaluate = [], suite.evaluate

    def fails_at(name):
        def one(lm, benchmarks, **options):
            asked.append(benchmarks[0].name)
            if benchmarks[0].name == name:
                raise UserError("the machine is gone")
            return evaluate(lm, benchmarks, **options)

        return one

    monkeypatch.setattr(suite, "evaluate", fails_at("uniapl_miniature_choice"))
    with pytest.raises(SystemExit):
        suite.main(line(checkpoint, tmp_path / "rows.csv"))
    assert not (tmp_path / "rows.csv").exists()
    monkeypatch.setattr(suite, "evaluate", fails_at(""))
    suite.main(line(checkpoint, tmp_path / "rows.csv"))
    assert asked == ["uniapl_miniature_generation", "uniapl_miniature_choice", "uniapl_miniature_choice"]
    assert set(pd.read_csv(tmp_path / "rows.csv").task) == set(asked) and not list(tmp_path.glob("*.parts"))


def test_answers_of_another_checkpoint_or_of_other_questions_are_not_taken(checkpoint):
    one, other = SUITES["miniature"]
    before = suite.source_of(str(checkpoint), one)
    assert before == suite.source_of(str(checkpoint), one) != suite.source_of(str(checkpoint), other)
    (checkpoint / "model.safetensors").touch()
    assert suite.source_of(str(checkpoint), one) != before


def test_vllm_has_room_for_the_longest_examples_and_an_answer(checkpoint, monkeypatch):
    """Not its training's 4,096 tokens, in which few-shot prompts and third turns lose their head without a word."""
    asked = []
    monkeypatch.setattr(harness, "vllm_harness", lambda *a: asked.append(a))
    suite.load(str(checkpoint), 1, "vllm")
    assert asked == [(checkpoint, harness.ALONE, 8_192)]


def test_a_data_set_that_does_not_load_is_said_before_the_model_is_loaded(
    checkpoint, tmp_path, of_the_hub, monkeypatch, capsys
):
    monkeypatch.setattr(suite, "load", lambda *a: pytest.fail("the model was loaded"))
    monkeypatch.setitem(SUITES, "miniature", (*SUITES["miniature"], Task("gsm8k", "mathematics", 3.0, few_shot=5)))
    monkeypatch.setattr(datasets, "load_dataset", lambda *a, **k: (_ for _ in ()).throw(RuntimeError("a script")))
    with pytest.raises(SystemExit):
        suite.main(line(checkpoint, tmp_path / "rows.csv"))
    assert "error: no data set of gsm8k loads (the first: RuntimeError: a script)" in capsys.readouterr().err


# On data sets of ours in the hub's form ---------------------------------------------------------------


def synthetic(path, name=None, **_):
    """What `datasets.load_dataset` gives of each benchmark: a few rows of ours with the hub's columns."""
    rows = {
        "openai/gsm8k": [{"question": f"What is {i} + 1?", "answer": f"One more.\n#### {i + 1}"} for i in range(6)],
        "HuggingFaceH4/MATH-500": [
            {"problem": f"${i} + 1$", "answer": str(i + 1), "solution": rf"$\boxed{{{i + 1}}}$"} for i in range(3)
        ],
        "allenai/ai2_arc": [
            {"question": "?", "choices": {"text": ["a", "b"], "label": ["A", "B"]}, "answerKey": "A", "id": str(i)}
            for i in range(30)
        ],
        "allenai/winogrande": [
            {"sentence": f"The {i} _ is wet.", "option1": "sea", "option2": "sun", "answer": "1"} for i in range(12)
        ],
        "Rowan/hellaswag": [
            {"ctx_a": "A", "ctx_b": "b", "ctx": "A b", "endings": ["x"] * 4, "label": "0", "activity_label": "act"}
            | {"ind": i, "source_id": "s", "split": "val", "split_type": "in"}
            for i in range(12)
        ],
    }[path]
    splits = ("train", "validation", "test")
    return datasets.DatasetDict({split: datasets.Dataset.from_list(rows) for split in splits})


SYNTHETIC = ("gsm8k", "uniapl_math500", "arc_challenge", "winogrande", "hellaswag")


class Says(LM):
    """A model of lm-eval that gives one answer, and finds every continuation as likely."""

    tokenizer_name = "words"

    def __init__(self, answer: str):
        super().__init__()
        self.answer, self.asked = answer, []

    def loglikelihood_rolling(self, requests):
        raise NotImplementedError

    def apply_chat_template(self, chat, **_):
        return " ".join(message["content"] for message in chat)

    def chat_template(self, *_):
        return ""

    def tok_encode(self, text):
        return text.split()

    def generate_until(self, requests, **_):
        self.asked += [request.args for request in requests]
        return [self.answer] * len(requests)

    def loglikelihood(self, requests, **_):
        return [(-1.0, False)] * len(requests)


@pytest.fixture
def of_the_hub(monkeypatch):
    """Rows of ours in the place of the hub's; of lm-eval's 14,000 tasks only those that are asked for are listed."""
    folders = [str(INSTALLED / folder) for folder in ("gsm8k", "arc", "winogrande", "hellaswag")]
    manager = TaskManager(include_path=[str(suite.TASKS), *folders], include_defaults=False)
    monkeypatch.setattr(suite, "task_manager", lambda suite: manager)
    monkeypatch.setattr(datasets, "load_dataset", synthetic)


@pytest.mark.parametrize("name", SYNTHETIC)
def test_the_suite_runs_on_data_sets_of_the_hubs_form(name, of_the_hub):
    (benchmark,) = (one for one in SUITES["general"] if one.name == name)
    lm = Says("so the answer is \\boxed{2} or 2 " + "word " * 30)
    found = rows(suite.evaluate(lm, [benchmark], limit=3))
    assert set(found.task) == {name} and benchmark.metric in set(found.metric) and found.doc_id.nunique() == 3
    if benchmark.tokens:
        assert {asked["max_gen_toks"] for _, asked in lm.asked} == {2048}
        cut = found[found.metric.str.startswith("cut,")]
        assert benchmark.metric.split(",")[1] in {metric.split(",")[1] for metric in cut.metric} and not cut.value.any()


def test_an_answer_that_reaches_its_limit_is_counted_as_cut(of_the_hub):
    short = Task("gsm8k", "mathematics", 3.0, few_shot=1, metric="exact_match,flexible-extract", tokens=4)
    found = rows(suite.evaluate(Says("one two three four"), [short], limit=2))
    assert found[found.metric == "cut,flexible-extract"].value.tolist() == [1.0, 1.0]


def test_bbh_is_not_ended_by_an_empty_line():
    (bbh,) = (one for one in SUITES["general"] if one.name == "bbh")
    assert bbh.tokens == 2048 and not {"Q", "\n\n"} & set(bbh.until)
