"""The lm-eval tasks: prompts from every source, the same verdicts as the score, and the command from a shell."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import miniature
from support.places import ROOT
from support.two_prompts import PROMPTS, RESPONSES, write

from uniapl.errors import UserError
from uniapl.generate.tasks import math500, process
from uniapl.scorers import verdicts as score

TASKS = ROOT / "uniapl/generate/tasks"
LM_EVAL = """
from functools import partialmethod
from lm_eval.__main__ import cli_evaluate
from lm_eval.tasks import TaskManager
TaskManager.__init__ = partialmethod(TaskManager.__init__, include_defaults=False)
cli_evaluate()
"""  # the command lm_eval, but for the list of its own 14,000 tasks, which takes longer than all the rest
CONVERSATION = {  # a row of Multi-IF as the hub's CSV has it: JSON in columns of text, the arguments twice encoded
    "key": "1001:1:en",
    "turns": "",
    "responses": "",
    "turn_1_prompt": json.dumps({"role": "user", "content": "Write about the sea."}),
    "turn_1_instruction_id_list": json.dumps(["punctuation:no_comma", "keywords:existence"]),
    "turn_1_kwargs": json.dumps(["{}", json.dumps({"keywords": ["sea"]})]),
    "turn_2_prompt": json.dumps({"role": "user", "content": "Now in quotation marks."}),
    "turn_2_instruction_id_list": json.dumps(["punctuation:no_comma", "keywords:existence", "startend:quotation"]),
    "turn_2_kwargs": json.dumps(["{}", json.dumps({"keywords": ["sea"]}), "{}"]),
    "language": "English",
}
FIRST = {
    "key": "1001:1:en",
    "prompt": "Write about the sea.",
    "instruction_id_list": ["punctuation:no_comma", "keywords:existence"],
    "kwargs": [{}, {"keywords": ["sea"]}],
}


@pytest.fixture
def prompts(tmp_path):
    return write(tmp_path / "p.jsonl", PROMPTS)


# where prompts come from --------------------------------------------------------------------------


def test_a_file_is_read_and_checked(prompts, tmp_path):
    assert process.prompts(str(prompts)) == PROMPTS
    bad = write(tmp_path / "bad.jsonl", [{**PROMPTS[1], "kwargs": [{"language": "de"}]}])
    with pytest.raises(UserError, match=r"bad.jsonl: row 1, key 3: startend:quotation: unexpected argument language"):
        process.prompts(str(bad))


def test_the_first_turn_of_multi_if_is_a_row_of_ifeval(tmp_path):
    with open(tmp_path / "m.csv", "w", newline="") as out:
        writer = csv.DictWriter(out, CONVERSATION)
        writer.writeheader()
        writer.writerow(CONVERSATION)
    lines = write(tmp_path / "m.jsonl", [CONVERSATION])
    found = [process.first_turns(str(path)) for path in (tmp_path / "m.csv", lines)]
    assert json.loads(json.dumps(found)) == [[FIRST], [FIRST]]  # lists, not tuples


def test_the_hub_is_asked_for_one_revision(monkeypatch):
    asked, rows = [], {"google/IFEval": PROMPTS, "facebook/Multi-IF": [CONVERSATION]}

    def load_dataset(name, **kwargs):
        asked.append((name, kwargs))
        return rows[name]

    monkeypatch.setattr("datasets.load_dataset", load_dataset)
    assert process.prompts("google/IFEval@0123abc") == PROMPTS
    assert process.first_turns("facebook/Multi-IF@456def")[0]["prompt"] == FIRST["prompt"]
    assert asked == [
        ("google/IFEval", {"revision": "0123abc", "split": "train"}),
        ("facebook/Multi-IF", {"revision": "456def", "split": "train"}),
    ]


@pytest.mark.parametrize("read", [process.prompts, process.first_turns])
@pytest.mark.parametrize("source", ["absent.jsonl", "google/IFEval", "google/IFEval@", "", "a/b/c@1"])
def test_a_source_without_file_or_revision_is_one_line(read, source):
    with pytest.raises(UserError, match="no such file; name a file, or a data set as owner/name@revision"):
        read(source)


def keys(**given) -> list:
    return process.documents(**given)["test"]["key"][:]


def test_data_files_go_before_metadata_before_the_environment_before_the_hub(prompts, tmp_path, monkeypatch):
    other, third = (str(write(tmp_path / f"{k}.jsonl", [{**PROMPTS[1], "key": k}])) for k in (11, 12))
    task = {"benchmark": "uniapl_ifeval", "pinned": str(prompts)}
    assert keys(**task) == [7, 3]
    monkeypatch.setenv("UNIAPL_IFEVAL", other)
    assert keys(**task) == [11]
    assert keys(**task, uniapl_ifeval=third) == [12]
    assert keys(**task, uniapl_ifbench=third) == [11]  # another task's
    assert keys(**task, uniapl_ifeval=third, data_files={"test": str(prompts)}) == [7, 3]


def test_arguments_of_the_model_do_no_harm(prompts):
    """lm-eval passes --model_args along with --metadata."""
    model = {"pretrained": "/m", "revision": "main", "dtype": "float32", "version": 1.0, "config_source": "x"}
    assert keys(benchmark="uniapl_ifeval", pinned=str(prompts), **model) == [7, 3]


# the tasks ----------------------------------------------------------------------------------------


def load(names, **metadata):
    from lm_eval.tasks import TaskManager

    return TaskManager(include_path=str(TASKS), include_defaults=False, metadata=metadata).load(names)["tasks"]


def test_every_task_has_its_pinned_data_set():
    from lm_eval.tasks._yaml_loader import load_yaml

    for name in ("ifeval", "ifbench", "multi_if"):
        settings = load_yaml(TASKS / f"uniapl_{name}.yaml", resolve_func=False)["dataset_kwargs"]
        hub, revision = settings["pinned"].split("@")
        assert hub.count("/") == 1 and len(revision) == 40 and set(revision) <= set("0123456789abcdef")
        assert settings["benchmark"] == f"uniapl_{name}"


def test_a_task_scores_as_the_stage_does(prompts):
    task = load(["uniapl_ifeval"], uniapl_ifeval=str(prompts))["uniapl_ifeval"]
    answers = {row["key"]: row["response"] for row in RESPONSES}
    found = [task.process_results(doc, [answers[doc["key"]]]) for doc in task.eval_docs]
    figures = score.summary(score.score(PROMPTS, RESPONSES))
    for metric, aggregate in task.aggregation().items():
        assert aggregate([values[metric] for values in found]) == figures[metric]["accuracy"]
    assert [task.doc_to_text(doc) for doc in task.eval_docs] == [row["prompt"] for row in PROMPTS]


def test_multi_if_names_the_turn_that_it_is(tmp_path):
    source = write(tmp_path / "m.jsonl", [CONVERSATION])
    (name,), (task,) = zip(*load(["uniapl_multi_if"], uniapl_multi_if=str(source)).items(), strict=True)
    assert name == "uniapl_multi_if_turn_1"
    doc = task.eval_docs[0]
    assert task.process_results(doc, ["the sea"])["inst_strict"] == [True, True]
    assert task.process_results(doc, ["the sea, calm"])["inst_strict"] == [False, True]


def test_multi_if_is_checked_in_the_language_of_the_response(tmp_path):
    """Corner brackets quote a Chinese text in Multi-IF, and in IFEval they do not."""
    asked = {"turn_1_instruction_id_list": '["startend:quotation"]', "turn_1_kwargs": '["{}"]', "language": "Chinese"}
    source = write(tmp_path / "m.jsonl", [{**CONVERSATION, **asked}])
    (task,) = load(["uniapl_multi_if"], uniapl_multi_if=str(source)).values()
    doc = task.eval_docs[0]
    assert task.process_results(doc, ["\u300c\u6d77\u300d"])["prompt_strict"] == 1.0
    assert process.process_results(doc, ["\u300c\u6d77\u300d"])["prompt_strict"] == 0.0


def test_the_command_prints_the_folder():
    printed = subprocess.check_output([sys.executable, "-m", "uniapl.generate.tasks"], cwd=ROOT, text=True)
    assert Path(printed.strip()) == TASKS


def test_lm_eval_runs_the_tasks_from_a_shell(tmp_path):
    """The command of docs/scorers.md, with local data and a local model, and no hub."""
    model = tmp_path / "model"
    miniature.policy().save_pretrained(model)
    miniature.tokenizer().save_pretrained(model)
    rows = [{k: v for k, v in row.items() if k != "response"} for row in miniature.rows()[:6]]
    ifeval, multi = write(tmp_path / "p.jsonl", rows), write(tmp_path / "m.jsonl", [CONVERSATION])
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(tmp_path / "hub"),
        "PYTHONPATH": str(ROOT),
        "UNIAPL_IFEVAL": str(ifeval),
        "UNIAPL_MULTI_IF": str(multi),
    }
    folder = subprocess.check_output(
        [sys.executable, "-m", "uniapl.generate.tasks"], env=environment, cwd=tmp_path, text=True
    )
    line = [sys.executable, "-c", LM_EVAL, "--include_path", folder.strip()]
    line += ["--tasks", "uniapl_ifeval,uniapl_ifbench,uniapl_multi_if", "--apply_chat_template"]
    line += ["--metadata", json.dumps({"uniapl_ifbench": str(ifeval)}), "--gen_kwargs", "max_gen_toks=8"]
    line += ["--model", "hf", "--model_args", f"pretrained={model},dtype=float32", "--device", "cpu"]
    line += ["--batch_size", "8", "--log_samples", "--output_path", str(tmp_path / "out")]
    done = subprocess.run(line, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    results = json.loads(next((tmp_path / "out").rglob("results_*.json")).read_text())["results"]
    assert set(results) == {"uniapl_ifeval", "uniapl_ifbench", "uniapl_multi_if_turn_1"}
    figures = ("prompt_strict,none", "inst_strict,none", "prompt_loose,none", "inst_loose,none")
    assert all(0 <= results[task][figure] <= 1 for task in results for figure in figures)

    from uniapl.generate import suite

    found = suite.rows(suite.read_samples(tmp_path / "out"))
    assert found.groupby("task").doc_id.nunique().to_dict() == {
        "uniapl_ifeval": 6,
        "uniapl_ifbench": 6,
        "uniapl_multi_if_turn_1": 1,
    }


@pytest.mark.parametrize(
    "answer, right",
    [
        (r"$1$ and $2$, so \boxed{2}", 1),
        (r"\boxed{1} no, \boxed{2}", 1),
        (r"it goes into \boxed notation: \boxed{2}", 1),  # which lm-eval's own search takes for the last box
        (r"$\boxed 2$, no: $\boxed {3}$", 0),
        (r"\boxed {2}, by \boxed notation", 1),
        (r"$\boxed 2$", 1),
        (r"\boxed{\boxed{2}}", 1),
        ("2", 0),
        (r"\boxed{3}", 0),
        (r"\boxed{2", 0),
    ],
)
def test_the_last_box_of_a_solution_is_its_answer(answer, right):
    assert math500.process_results({"answer": "2"}, [answer]) == {"exact_match": right}
