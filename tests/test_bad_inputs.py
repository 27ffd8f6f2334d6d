"""What a user may get wrong, as a table: every command ends in one line that says what, where and what to do instead.

Nothing that was there is overwritten. Each row is another check; every command of `uniapl` is there at least once.
"""

import json

import pytest

from uniapl.__main__ import STAGES, main

PROMPT = {"key": 1, "prompt": "Say it.", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
SAID = {"key": 1, "response": "It."}


def lines(*rows: dict) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def asked(**change) -> str:
    return lines(PROMPT | change)


SCORE = "score --prompts p.jsonl --responses r.jsonl --out out.csv"
TRAIN = "train --scale smoke --arm sft --seed 0 --data data --start start --out out"
GENERATE = "generate --scale smoke --checkpoint model --base model --prompts p.jsonl --expert e.jsonl --out out"
BENCHMARK = asked(benchmark="trained")
CONVERSATION = "key,language,turn_1_prompt,turn_1_instruction_id_list,turn_1_kwargs\n"
GOOD = {"p.jsonl": lines(PROMPT), "r.jsonl": lines(SAID)}

BAD = {  # what is wrong: files, command, what the line says: where, and what to do
    "an id that is misspelt": (
        {"p.jsonl": asked(instruction_id_list=["punctuation:no_coma"]), "r.jsonl": lines(SAID)},
        SCORE,
        "p.jsonl: row 1, key 1: punctuation:no_coma: unknown instruction, did you mean 'punctuation:no_comma'?",
    ),
    "an argument that is none": (
        {"p.jsonl": asked(kwargs=[{"commas": 2}]), "r.jsonl": lines(SAID)},
        SCORE,
        "p.jsonl: row 1, key 1: punctuation:no_comma: unexpected argument commas",
    ),
    "an id of another family": (
        {"p.jsonl": asked(instruction_id_list=["count:numbers"], kwargs=[{"N": 2}]), "r.jsonl": lines(SAID)},
        f"{SCORE} --family ifeval",
        "p.jsonl: row 1, key 1: count:numbers belongs to ifbench, not to ifeval: change --family",
    ),
    "a line that is no JSON": (GOOD | {"r.jsonl": '{"key": 1\n'}, SCORE, "r.jsonl:1: not JSON: "),
    "a table in the place of JSON Lines": (
        GOOD | {"r.jsonl": "key,response\n1,It.\n"},
        SCORE,
        "r.jsonl:1: not JSON: Expecting value: line 1 column 1 (char 0); a table, as CSV, is not read here: write JSON",
    ),
    "a file in UTF-16": (GOOD | {"r.jsonl": lines(SAID).encode("utf-16")}, SCORE, "r.jsonl:1: not UTF-8"),
    "an empty file": (GOOD | {"r.jsonl": ""}, SCORE, "r.jsonl: holds no rows"),
    "a file that is not there": ({"p.jsonl": lines(PROMPT)}, SCORE, "r.jsonl: No such file or directory"),
    "a prompt without response": (
        {"p.jsonl": lines(PROMPT, PROMPT | {"key": 2}), "r.jsonl": lines(SAID)},
        SCORE,
        "r.jsonl: 1 of 2 prompts have no response (joined by key; answer them, or score a prompts file without them): "
        "key 2",
    ),
    "a key that was mistyped": (
        {"p.jsonl": lines(PROMPT, PROMPT | {"key": 2}), "r.jsonl": lines(SAID, SAID | {"key": 9})},
        SCORE,
        "r.jsonl: 1 of 2 prompts have no response (joined by key; answer them, or score a prompts file without them; a "
        "response has the key '9', which no prompt has): key 2",
    ),
    "two responses to one prompt": (
        GOOD | {"r.jsonl": lines(SAID, SAID)},
        SCORE,
        "r.jsonl: 2 of 2 responses have the same key as another: key 1",
    ),
    "a blank too many": (
        GOOD | {"r.jsonl": lines({"prompt": "Say it. ", "response": "It."})},
        SCORE,
        "r.jsonl: 1 of 1 prompts have a response whose prompt differs by blanks at its ends alone: make them one",
    ),
    "a response that is no text": (
        GOOD | {"r.jsonl": lines({"key": 1, "response": 3})},
        SCORE,
        "1 of 1 rows of r.jsonl have no text in their field response: key 1",
    ),
    "keys that a spreadsheet has rounded": (
        GOOD | {"r.jsonl": lines(SAID | {"key": "1.2E+05"})},
        SCORE,
        "r.jsonl: row 1: a spreadsheet has rounded the key 1.2E+05: take the keys of the original file",
    ),
    "an output that is an input": (
        GOOD,
        "score --prompts p.jsonl --responses r.csv --out r.csv",
        "r.csv: is an input or another output, and would be overwritten",
    ),
    "an output of another kind": (GOOD, SCORE.replace("out.csv", "out.xlsx"), "out.xlsx: must end in .csv or .parquet"),
    "a comparison of one": (GOOD, f"{SCORE} --compare", "--compare needs two --responses, not 1"),
    "CSV with other separators": (
        GOOD | {"m.csv": CONVERSATION.replace(",", ";") + "1;English;a;b;c\n"},
        "score --family multi_if --prompts m.csv --responses r.jsonl",
        "m.csv:1: no column key, language, turn_1_prompt: columns are parted by commas",
    ),
    "a language without rules": (
        {"m.csv": CONVERSATION + '1,Klingon,"{""content"": ""a""}","[]","[]"\n'},
        "converse --conversations m.csv --model model --out out.jsonl",
        "m.csv: row 1, key 1: no rules for 'Klingon': choose languages among English",
    ),
    "no world of that name": ({}, "data moon", "unknown world 'moon': known are miniature"),
    "a world of another kind": ({}, "data miniature --scale paper --out out", "scale 'paper' has published data"),
    "a world without files": (
        {},
        "data files --scale smoke --out out",
        "its world is miniature, not files: uniapl data",
    ),
    "a scale that is misspelt": ({}, "plan --scale tinny", "did you mean 'tiny'?"),
    "a plan without GPUs": ({}, "plan --scale paper --gpus 0", "--gpus 0: a plan needs at least one GPU"),
    "a GPU that nobody knows": ({}, "plan --scale paper --gpu h10", "did you mean 'h100'?"),
    "no prompts to fetch": (
        {},
        "prompts --out out --train 0 --validation 1",
        "--train 0: must be at least 1",
    ),
    "a set to evaluate that is none": (
        {},
        "prompts --out out --train 1 --validation 1 --eval ifeval,ifbnech",
        "did you mean 'ifbench'?",
    ),
    "a teacher where there is none": (
        GOOD,
        "teach --prompts p.jsonl --scale smoke --out out.jsonl",
        "scale 'smoke' has a scripted expert, and no teacher to ask",
    ),
    "a prompt without instructions": (
        {"p.jsonl": asked(instruction_id_list=[], kwargs=[])},
        "teach --prompts p.jsonl --scale paper --out out.jsonl",
        "p.jsonl: row 1, key 1: needs at least one instruction in instruction_id_list",
    ),
    "an arm that is misspelt": ({}, TRAIN.replace("sft", "stf"), "did you mean 'sft'?"),
    "data that were not made": ({}, TRAIN, "data: no summary.json; run the stage data first"),
    "a password in an address": (
        {"data/summary.json": "{}"},
        f"{TRAIN} --polar http://me:word@host",
        "--polar holds a password or a query, which logs would show: leave it out",
    ),
    "a probe without base": (
        {"data/summary.json": "{}"},
        f"{TRAIN} --discriminator model",
        "--discriminator needs --base: the policy is measured against both",
    ),
    "an arm that is not fetched": ({}, "fetch --scale smoke --arm stf --out model", "did you mean 'sft'?"),
    "more checkpoints than folders": (
        {"p.jsonl": BENCHMARK, "e.jsonl": lines(SAID)},
        f"{GENERATE} --checkpoint a b",
        "2 --checkpoint and 1 --out: name a folder for each",
    ),
    "an expert that is silent": (
        {"p.jsonl": BENCHMARK, "e.jsonl": lines(SAID | {"key": 2})},
        GENERATE,
        "1 of 1 prompts have no response in e.jsonl: key 1",
    ),
    "a row without benchmark": (
        {"p.jsonl": lines(PROMPT), "e.jsonl": lines(SAID)},
        GENERATE,
        "p.jsonl: row 1: no key benchmark; it has key, prompt, instruction_id_list, kwargs; restore it, or run",
    ),
    "no checkpoint in the folder": (
        {"model/readme": "nothing"},
        "suite --suite miniature --model model --out out.csv",
        "model holds no checkpoint: no config.json; finish the run that writes it first",
    ),
    "samples of an old lm-eval": (
        {"logs/samples_arc_2024-01-02T03-04-05.678901.jsonl": lines({"doc_id": 0, "acc": 1})},
        "suite --samples logs --out out.csv",
        "arc: sample 1: no metrics and no filter: lm-eval before 0.4.7 wrote it; run 0.4.7 or newer",
    ),
    "no samples at all": (
        {"logs/readme": ""},
        "suite --samples logs --out out.csv",
        "logs: holds no samples_*.jsonl: run lm_eval with --log_samples --output_path logs",
    ),
    "a file of samples where a folder is meant": (
        {"logs/samples_arc_2024-01-02T03-04-05.678901.jsonl": lines({"doc_id": 0})},
        "suite --samples logs/samples_arc_2024-01-02T03-04-05.678901.jsonl --out out.csv",
        "678901.jsonl: is a file: give its folder, logs, or score its answers: uniapl score",
    ),
    "benchmarks that were not asked": (
        {},
        "general --root smoke --out out",
        "smoke/suite/base/seed0.csv: no such file; run the stage suite first",
    ),
    "test prompts that were not made": (
        {},
        "analyse --root smoke --experiment headline --out out",
        "smoke/data/test.jsonl: no such file; run the stage data first",
    ),
    "an experiment that is misspelt": (
        {},
        "analyse --root smoke --experiment hedline --out out",
        "did you mean 'headline'?",
    ),
    "an analysis that was not made": (
        {"analysis/readme": ""},
        "tables --analysis analysis --out out",
        "analysis/runs.csv: no such file; run the stage analyse first",
    ),
    "no analyses to look over": (
        {},
        "overview --root smoke --out out",
        "smoke: no such folder; run the stages up to analyse first",
    ),
    "no published set to hold against": (
        {},
        "beside --local smoke --published published --out out",
        "smoke/analyse: no main.csv of any experiment; run the stages up to analyse first",
    ),
    "no results to report": (
        {},
        "report --results smoke --figures figures --out out.html",
        "smoke: no such folder; name a set such as results/published/tiny",
    ),
    "a set without manifest": (
        {"tiny/readme": ""},
        "verify tiny",
        "tiny/manifest.json: no such file; name a folder like results/published/tiny",
    ),
    "a set to export that is none": (
        {"tiny/readme": ""},
        "export tiny --form croissant --out new",
        "tiny/manifest.json: no such file; name a folder like results/published/tiny",
    ),
    "a training to push that is none": (
        {"tiny/train/grpo/seed0/history.csv": ""},
        "push tiny/train/grpo/seed0 --to new",
        "seed0/run.json: No such file or directory",
    ),
    "a set beside nothing": (
        {"tiny/readme": ""},
        "compare tiny",
        "tiny/manifest.json: no such file; name a folder like results/published/tiny",
    ),
    "a rerun of nothing": (
        {"tiny/readme": ""},
        "again tiny tiny --out new",
        "tiny/analyse: no claims.csv of any experiment; run the stages up to analyse first",
    ),
    "a manifest that was cut": (
        {"tiny/manifest.json": '{"id": "tiny",\n'},
        "verify tiny",
        "tiny/manifest.json:2: not JSON: ",
    ),
    "a tree with changes": ({"tiny/readme": ""}, "renew tiny", "the tree is at unknown: commit first"),
    "a set that is not partial": (
        {"tiny/readme": ""},
        "take tiny",
        "tiny/partial.json: no such file; name a partial set, which `uniapl publish --partial` makes",
    ),
    "a machine for no scale": ({}, "preflight --scale tinny", "unknown scale 'tinny': known are"),
    "a run that nobody finished": ({}, "publish --scale smoke", "the tree is at unknown: commit first"),
    "an id that the lock has not": ({}, "hub fetch Qwen/Qwen3-0.6", "did you mean 'Qwen/Qwen3-0.6B'?"),
    "rates of no policy": ({}, "rates --scale smoke", "scale smoke: has no plan on a CPU, so no rates: `uniapl plan`"),
    "a run in the place of a set": (
        {"local/smoke/train/sft/seed0/run.json": "{}"},
        "verify local/smoke",
        "local/smoke: is a run, not a published set: uniapl publish --scale smoke first",
    ),
    "no run to look at": ({}, "status", ".: no run of Snakemake has written .snakemake/log/*.snakemake.log: name the"),
    "a lease without command": ({}, "lease -n 1", "a lease needs -n of 0 or more and a command: python -m uniapl"),
}


def test_there_are_forty_and_every_command_is_among_them():
    assert len(BAD) >= 40
    assert {command.split()[0] for _, command, _ in BAD.values()} == set(STAGES)


@pytest.mark.parametrize("case", BAD)
def test_a_bad_input_is_one_line_with_its_place_and_nothing_is_overwritten(case, tmp_path, monkeypatch, capsys):
    files, command, said = BAD[case]
    old = {"out": None, "out.csv": "old", "out.jsonl": None, "out.html": "old", "r.csv": "old"}
    for name, content in {**{name: text for name, text in old.items() if text}, **files}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["uniapl"])
    monkeypatch.setattr("uniapl.publish.publish.commit", lambda: "unknown")
    if command.startswith("take"):  # it looks at the tree first
        monkeypatch.setattr("uniapl.publish.take.clean_commit", lambda: "c0ffee")
    with pytest.raises(SystemExit) as ended:
        main(command.split())
    printed = capsys.readouterr()
    assert ended.value.code == 2 and printed.err.count("\n") == 1, printed.err
    assert printed.err.startswith("error: ") and said in printed.err, printed.err
    assert {path: path.read_bytes() for path in before} == before
    assert not [path for path in tmp_path.rglob("*.part")]
