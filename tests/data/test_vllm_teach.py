"""Stage teach with vLLM itself, on a miniature: offline, behind vLLM's own server, and where it does not start."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from support import taught

from uniapl.jsonl import write_jsonl

pytestmark = pytest.mark.vllm
LENGTH, TOKENS = taught.LENGTH, 96
ENV = {**os.environ, "VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1"}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return taught.write(tmp_path_factory.mktemp("taught"))


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Prompts that the model knows the answers of."""
    path = tmp_path_factory.mktemp("prompts") / "prompts.jsonl"
    write_jsonl(path, [{k: v for k, v in row.items() if k != "response"} for row in taught.rows()[: taught.KNOWN]])
    return path


def teach(model, asked, out, *more, **env) -> subprocess.CompletedProcess:
    """`python -m uniapl.data.teach`, greedy unless `more` says otherwise."""
    given = ["--prompts", asked, "--scale", "paper", "--out", out, "--model", model, "--temperature", "0", *more]
    limits = ["--max-tokens", TOKENS, "--max-model-len", LENGTH, "--tensor-parallel", "1", "--concurrency", "4"]
    command = [sys.executable, "-m", "uniapl.data.teach", *map(str, [*given, *limits])]
    return subprocess.run(command, env={**ENV, **env}, capture_output=True, text=True, timeout=300)


def rows(path) -> dict:
    return {(row["key"], row["attempt"]): row for row in map(json.loads, path.read_text().splitlines())}


@pytest.fixture(scope="module")
def offline(model, asked, tmp_path_factory):
    """The file that vLLM in the command's own process wrote."""
    out = tmp_path_factory.mktemp("offline") / "demonstrations.jsonl"
    done = teach(model, asked, out, "--presence-penalty", "0")
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def server(model):
    """vLLM's own OpenAI-compatible server on the miniature; its base URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["vllm.entrypoints.openai.api_server", "--model", model, "--served-model-name", model, "--port", port]
    command = [sys.executable, "-m", *map(str, [*command, "--host", "127.0.0.1", "--max-model-len", LENGTH])]
    log = open(model / "server.log", "w")
    process = subprocess.Popen(command, env=ENV, stdout=log, stderr=log, start_new_session=True)
    try:
        end = time.monotonic() + 300
        while True:
            assert process.poll() is None and time.monotonic() < end, (model / "server.log").read_text()[-2000:]
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5)
                break
            except OSError:
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)
        log.close()


def test_offline_demonstrations_are_the_answers_that_the_model_knows(offline):
    known = {row["key"]: row["response"] for row in taught.rows()}
    found = rows(offline)
    assert sum(row["response"] == known[key] for (key, _), row in found.items() if row["passed"]) >= 6
    assert all(row["finish_reason"] == "stop" for row in found.values() if row["passed"])
    summary = json.loads(offline.with_suffix(".summary.json").read_text())
    assert summary["accepted"] >= 6 and summary["record"]["versions"]["vllm"].startswith("0.31.0")


def test_offline_counts_the_tokens_of_the_chat_and_of_the_answer_with_its_end(offline, model):
    from uniapl.models.checkpoints import load_tokenizer, messages

    tokenizer, asked = load_tokenizer(model), {row["key"]: row["prompt"] for row in taught.rows()}
    found = [row for row in rows(offline).values() if row["finish_reason"] == "stop"]
    assert found
    for row in found:
        chat = tokenizer.apply_chat_template(messages(asked[row["key"]]), add_generation_prompt=True, return_dict=False)
        answer = tokenizer(row["response"], add_special_tokens=False)["input_ids"]
        assert (row["prompt_tokens"], row["completion_tokens"]) == (len(chat), len(answer) + 1)


def test_the_server_gives_the_same_greedy_answers_and_counts_as_vllm_in_the_process(
    server, offline, model, asked, tmp_path
):
    out = tmp_path / "demonstrations.jsonl"
    done = teach(model, asked, out, "--presence-penalty", "0", "--endpoint", server)
    assert done.returncode == 0, done.stderr
    first, second = ({key: row for key, row in rows(path).items() if key[1] == 0} for path in (offline, out))
    assert first == second and len(first) == taught.KNOWN


def test_the_server_takes_the_published_sampling_and_refuses_a_prompt_that_is_too_long(server, model, asked, tmp_path):
    long = tmp_path / "prompts.jsonl"
    known = [json.loads(line) for line in asked.read_text().splitlines()]
    write_jsonl(long, [*known, {**known[0], "key": 999, "prompt": "rain " * 1_000}])
    out = tmp_path / "demonstrations.jsonl"
    more = ("--endpoint", server, "--temperature", "0.7", "--attempts", "2")
    done = teach(model, long, out, *more)
    assert done.returncode == 0, done.stderr
    summary = json.loads(out.with_suffix(".summary.json").read_text())
    assert summary["accepted"] >= 4 and summary["rejected"]["refused"] >= 1
    refused = [row for (key, _), row in rows(out).items() if key == 999]
    assert refused and all(row["reason"] == "refused" for row in refused)
    assert "status 400" in out.with_suffix(".spent.jsonl").read_text()
    begun = out.read_bytes()
    assert teach(model, long, out, *more).returncode == 0 and out.read_bytes() == begun  # nothing is asked again


def test_a_name_that_the_server_does_not_serve_is_one_line(server, asked, tmp_path):
    done = teach("Qwen/other", asked, tmp_path / "d.jsonl", "--endpoint", server)
    errors = [line for line in done.stderr.splitlines() if "error: " in line]
    assert done.returncode == 2 and len(errors) == 1 and "Traceback" not in done.stderr
    assert "status 404" in errors[0] and "Qwen/other" in errors[0]


def test_too_little_memory_is_one_line_with_the_cause_and_a_rerun_continues(model, asked, offline, tmp_path):
    out = tmp_path / "d.jsonl"
    done = teach(model, asked, out, VLLM_CPU_KVCACHE_SPACE="100000")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "vLLM does not start" in error and "100000.0 GiB" in error
    assert out.read_text() == "" and out.with_suffix(".spent.jsonl").read_text() == ""  # nothing asked, nothing spent
