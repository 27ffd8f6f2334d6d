"""Stage generate: lm-eval's harness and our scorer agree, and nothing looks for a network."""

import dataclasses
import gc
import json
import os
import subprocess
import sys

import pandas as pd
import pytest
from support import miniature
from support.places import ROOT

from experiments.scales import SMOKE
from uniapl.config import ON_POLICY, PUBLISHED, Evaluation
from uniapl.config.model import Sampling
from uniapl.data.prompts import read_prompts
from uniapl.generate import responses as generate
from uniapl.jsonl import write_jsonl
from uniapl.models.startup import collector_paused
from uniapl.scorers import verdicts as score
from uniapl.scorers.responses import each_response

# every connection and every name look-up of the process is written to a file, and refused
SPY = """
import socket, sys
def refuse(*args, **kwargs):
    with open(sys.argv[1], "a") as log:
        print(args, file=log)
    raise OSError("no network in this test")
socket.getaddrinfo = refuse
socket.socket.connect = lambda self, address: refuse(address)
from uniapl.generate.responses import main
main(sys.argv[2:])
"""


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """The stage's files for a random policy, another, and the first again, each its own base, on 12 prompts; and the
    spy's log."""
    folder = tmp_path_factory.mktemp("generate")
    model, other = folder / "model", folder / "other"
    for seed, path in enumerate((model, other)):
        miniature.policy(seed).save_pretrained(path)
        miniature.tokenizer().save_pretrained(path)
    rows = list(miniature.rows()[:12])
    write_jsonl(folder / "test.jsonl", [{k: v for k, v in r.items() if k != "response"} for r in reversed(rows)])
    write_jsonl(folder / "expert.jsonl", [{"key": r["key"], "response": r["response"]} for r in rows])
    args = ["--scale", "smoke", "--checkpoint", model, other, model, "--base", model, other, model]
    args += ["--prompts", folder / "test.jsonl", "--expert", folder / "expert.jsonl"]
    args += ["--out", folder / "out", folder / "other_out", folder / "again"]
    line = [sys.executable, "-c", SPY, str(folder / "attempts"), *map(str, args)]
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(folder / "hub"),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(line, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder


def test_nothing_looks_for_a_network(generated):
    assert not (generated / "attempts").exists(), (generated / "attempts").read_text()


def test_the_harness_and_our_scorer_give_the_same_accuracy(generated):
    harness = json.loads((generated / "out/harness.json").read_text())["results"]
    for decoding in ("greedy", "sampled"):
        prompts = read_prompts(generated / "test.jsonl")
        responses = list(each_response(generated / f"out/{decoding}.parquet"))
        ours = score.summary(score.score(prompts, responses))
        for metric in ("prompt_strict", "inst_strict", "prompt_loose", "inst_loose"):
            assert harness[decoding][f"{metric},none"] == pytest.approx(ours[metric]["accuracy"])


def test_the_share_of_responses_that_reached_the_limit_is_on_record(generated):
    cut = json.loads((generated / "out/harness.json").read_text())["cut"]
    for decoding in ("greedy", "sampled"):
        tokens = pd.read_parquet(generated / f"out/{decoding}.parquet").n_tokens
        assert cut[decoding] == (tokens >= 48).mean()


def test_every_prompt_has_one_response_and_the_expert_its_own_text(generated):
    frame = pd.read_parquet(generated / "out/greedy.parquet")
    assert frame.key.tolist() == [r["key"] for r in miniature.rows()[:12]]
    assert frame.prompt.tolist() == [r["prompt"] for r in miniature.rows()[:12]]


def test_logprobs_have_one_value_per_token_and_are_equal_under_equal_models(generated):
    frame = pd.read_parquet(generated / "out/logprobs.parquet")
    assert sorted(frame.groupby(["text", "under"]).size().to_dict().items()) == [
        (("expert", "base"), 12),
        (("expert", "self"), 12),
        (("own", "base"), 12),
        (("own", "self"), 12),
    ]
    assert (frame.logprobs.map(len) == frame.n_tokens).all()
    assert frame.logprobs.map(max).max() <= 0
    for out in ("out", "other_out"):
        held = pd.read_parquet(generated / out / "logprobs.parquet")
        sides = [held[held.under == under].logprobs.map(list).tolist() for under in ("self", "base")]
        assert sides[0] == sides[1]
    tokenizer = miniature.tokenizer()
    expert = frame[(frame.text == "expert") & (frame.under == "self")].set_index("key").n_tokens
    for row in miniature.rows()[:12]:  # the response's tokens and the end token
        assert expert[row["key"]] == len(tokenizer(row["response"])["input_ids"]) + 1


def test_what_a_checkpoint_answers_does_not_depend_on_those_before_it(generated):
    for name in ("greedy.parquet", "sampled.parquet", "logprobs.parquet"):
        first, other, again = ((generated / out / name).read_bytes() for out in ("out", "other_out", "again"))
        assert first == again
        assert first != other or name == "greedy.parquet"  # random policies have the same likeliest word: none


def test_greedy_answers_alone_are_those_of_the_whole_evaluation_and_nothing_is_measured(generated, tmp_path):
    line = ["--scale", "smoke", "--checkpoint", generated / "model", "--base", generated / "model", "--out", tmp_path]
    generate.main([*map(str, line), "--prompts", str(generated / "test.jsonl"), "--decodings", "greedy"])
    assert (tmp_path / "greedy.parquet").read_bytes() == (generated / "out/greedy.parquet").read_bytes()
    assert not (tmp_path / "sampled.parquet").exists() and pd.read_parquet(tmp_path / "logprobs.parquet").empty
    assert json.loads((tmp_path / "harness.json").read_text())["decodings"].keys() == {"greedy"}


def test_where_sampling_cuts_the_distribution_another_decoding_measures_it():
    cut = Evaluation(max_new_tokens=8, batch=1, probe_prompts=1, sampled=PUBLISHED)
    whole = Evaluation(max_new_tokens=8, batch=1, probe_prompts=1)
    found = generate.decodings(cut, "vllm")
    assert found[cut.measured] == {"do_sample": True, **dataclasses.asdict(ON_POLICY)}
    assert found["sampled"]["top_k"] == 20 and found["sampled"]["presence_penalty"] == 0  # checkers count words
    assert whole.measured == "sampled" and set(generate.decodings(whole, "vllm")) == {"greedy", "sampled"}


def test_texts_and_log_probabilities_of_a_scale_that_cuts_are_those_of_the_uncut_decoding(
    generated, monkeypatch, tmp_path
):
    evaluation = dataclasses.replace(SMOKE.evaluation, sampled=Sampling(temperature=0.1, top_k=1))
    monkeypatch.setattr(generate, "load_scale", lambda name: dataclasses.replace(SMOKE, evaluation=evaluation))
    line = ["--scale", "smoke", "--checkpoint", generated / "other", "--base", generated / "model"]
    generate.main([*map(str, line), "--prompts", str(generated / "test.jsonl"), "--out", str(tmp_path)])
    texts = {
        name: pd.read_parquet(tmp_path / f"{name}.parquet").response for name in ("greedy", "sampled", "on_policy")
    }
    assert (texts["sampled"] == texts["greedy"]).all() and (texts["on_policy"] != texts["greedy"]).any()
    found = pd.read_parquet(tmp_path / "logprobs.parquet")
    own = found[(found.text == "own") & (found.under == "self")].set_index("key").n_tokens
    drawn = pd.read_parquet(tmp_path / "on_policy.parquet").set_index("key").n_tokens
    assert ((own - drawn[own.index]).isin([0, 1])).all()


def test_every_checkpoint_needs_a_base_of_its_own_or_one_for_all(capsys):
    line = "--scale smoke --checkpoint a b c --base a b --prompts p --expert e --out x y z"
    with pytest.raises(SystemExit):
        generate.main(line.split())
    assert "3 --checkpoint and 2 --base: name one for each, or one" in capsys.readouterr().err


def test_every_checkpoint_needs_a_folder(capsys):
    line = "--scale smoke --checkpoint a b --base a --prompts p --expert e --out x"
    with pytest.raises(SystemExit):
        generate.main(line.split())
    assert "2 --checkpoint and 1 --out: name a folder for each" in capsys.readouterr().err


def test_the_collector_rests_only_while_it_is_told_to():
    with pytest.raises(KeyError), collector_paused():
        assert not gc.isenabled()
        raise KeyError
    assert gc.isenabled()


def test_what_is_built_while_it_rests_is_not_looked_at_later():
    gc.unfreeze()
    with collector_paused():
        built = [[]]
    assert not any(one is built for one in gc.get_objects())
    gc.unfreeze()
    assert any(one is built for one in gc.get_objects())
