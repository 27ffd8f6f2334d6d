"""Stage teach against an endpoint that is late, errs, hangs up and answers rubbish: a server of ours."""

import json
import threading
import time

import pytest
from support.openai_server import Server, completion, prompts, slow

from uniapl.data.teach import Teacher
from uniapl.data.teach.answer import Request, seed_of
from uniapl.data.teach.collect import GIVE_UP, teach
from uniapl.data.teach.endpoint import Endpoint
from uniapl.data.teach.ledger import BudgetSpent, Journal, Meter
from uniapl.errors import UserError

FINE = completion("fine text")  # 10 + 5 tokens


@pytest.fixture
def serve():
    """Start a server that answers so; it ends with the test."""
    servers = []

    def start(answer) -> Server:
        servers.append(Server(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def ask(server: Server, out, n=1, teacher: Teacher | None = None, **changes) -> dict:
    teacher = teacher or Teacher()
    given = {"timeout": 5.0, "backoff": 0.01, "retries": 2, **changes}
    backend = Endpoint(server.url, teacher.model, teacher.sampling, teacher.concurrency, **given)
    return teach(teacher, prompts(n), backend, out, {})


def rows(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def out(tmp_path):
    return tmp_path / "d.jsonl"


def test_the_request_carries_the_published_sampling_a_seed_and_no_thinking(serve, out):
    server = serve(lambda body, n: FINE)
    ask(server, out)
    assert server.asked == [
        {
            "path": "/v1/chat/completions",
            "model": "Qwen/Qwen3-235B-A22B-Instruct-2507",
            "messages": [{"role": "user", "content": "p0"}],
            "seed": seed_of(0, 0, 0),
            "chat_template_kwargs": {"enable_thinking": False},
            "temperature": 0.7,
            "top_p": 0.8,
            "top_k": 20,
            "presence_penalty": 0.0,
            "max_tokens": 2048,
        }
    ]
    assert "Authorization" not in server.headers
    (row,) = rows(out)
    assert row == {
        "key": 0,
        "attempt": 0,
        "model": "teacher",
        "response": "fine text",
        "finish_reason": "stop",
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "passed": True,
        "reason": None,
        "broken": [],
    }


def test_requests_are_under_way_at_once_and_never_more_than_asked_for(serve, out):
    eight = threading.Barrier(8)  # none is answered before eight are asked
    server = serve(lambda body, n: FINE if eight.wait(timeout=10) >= 0 else None)
    assert ask(server, out, 40, Teacher(concurrency=8), timeout=20)["accepted"] == 40
    assert server.most == 8 and len(server.asked) == 40


@pytest.mark.parametrize("status", [429, 408, 500, 503])
def test_a_passing_error_is_tried_again_and_costs_nothing(status, serve, out):
    server = serve(lambda body, n: (status, b"busy") if n < 2 else FINE)
    summary = ask(server, out, 3)
    assert (summary["accepted"], summary["tokens_charged"], len(server.asked)) == (3, 45, 9)


def test_the_endpoint_says_how_long_to_wait(serve, out):
    server = serve(lambda body, n: (429, b"", {"Retry-After": "1"}) if n == 0 else FINE)
    start = time.monotonic()
    ask(server, out)
    assert 1.0 <= time.monotonic() - start < 3


LOST = {
    "hangs up": lambda body, n: None,
    "no json": lambda body, n: b"<html>garbage",
    "no chat completion": lambda body, n: {"object": "list"},
    "no choices": lambda body, n: {"choices": []},
    "a list": lambda body, n: [1],
    "a message that is none": lambda body, n: {"choices": [{"message": "fine text", "finish_reason": "stop"}]},
    "tokens that were given back": lambda body, n: completion("fine text", completion_tokens=-5_000),
    "text of a wrong type": lambda body, n: {"choices": [{"message": {"content": 3}, "finish_reason": "stop"}]},
    "tokens of a wrong type": lambda body, n: {**FINE, "usage": {"prompt_tokens": "ten", "completion_tokens": 5}},
    "late": slow(1.0, lambda body, n: FINE),
}


@pytest.mark.parametrize("failure", LOST)
def test_a_try_that_may_have_been_paid_for_is_charged_in_full_and_repeated(failure, serve, out):
    """A request is reserved with 2 + 256 + 2048 = 2306 tokens; the answer that comes takes 15."""
    server = serve(lambda body, n: LOST[failure](body, n) if n == 0 else FINE)
    summary = ask(server, out, timeout=0.3)
    assert (summary["accepted"], summary["tokens_charged"], len(server.asked)) == (1, 2306 + 15, 2)


def test_an_answer_without_a_count_of_tokens_is_charged_in_full(serve, out):
    server = serve(lambda body, n: {k: v for k, v in FINE.items() if k != "usage"})
    summary = ask(server, out)
    assert (summary["accepted"], summary["tokens_charged"]) == (1, 2306)
    assert rows(out)[0]["prompt_tokens"] is None


@pytest.mark.parametrize(
    "found, reason",
    [
        (completion(""), "empty"),
        (completion(None), "empty"),
        (completion("fine te", finish_reason="length"), "truncated"),
        (completion("fine", finish_reason="content_filter"), "unfinished"),
        (completion("<think>let me see</think>fine"), "marks"),
        (completion("fine", reasoning_content="let me see"), "marks"),
        (completion("fine", reasoning="let me see"), "marks"),
        (completion("na " * 400), "looped"),
        (completion("not, fine"), "instructions"),
    ],
)
def test_an_answer_that_is_no_demonstration_is_kept_with_its_reason_and_asked_again(found, reason, serve, out):
    server = serve(lambda body, n: found if n == 0 else FINE)
    summary = ask(server, out, 2)
    assert summary["rejected"] == {reason: 2} and summary["accepted"] == 2
    assert [(row["attempt"], row["reason"]) for row in rows(out)] == [(0, reason)] * 2 + [(1, None)] * 2
    seeds = [body["seed"] for body in server.asked]
    assert len(set(seeds)) == 4  # another answer, not the same again


def test_a_prompt_that_the_endpoint_refuses_is_a_row_and_the_others_are_answered(serve, out):
    server = serve(lambda body, n: (400, b"too long") if body["messages"][0]["content"] == "p1" else FINE)
    summary = ask(server, out, 4, Teacher(attempts=2, concurrency=1))
    assert summary["accepted"] == 3 and summary["rejected"] == {"refused": 2} and summary["tokens_charged"] == 45
    assert len(server.asked) == 5  # never tried again at once: status 400 is no accident


@pytest.mark.parametrize("status, text", [(401, b"bad key"), (404, b"no such model"), (400, b"unknown field top_k")])
def test_an_endpoint_that_refuses_everything_ends_the_run_and_a_rerun_asks_every_prompt(status, text, serve, out):
    mended = []
    server = serve(lambda body, n: FINE if mended else (status, text))
    with pytest.raises(UserError, match=f"{GIVE_UP} requests in a row had no answer, .*{status}: {text.decode()}"):
        ask(server, out, 40, Teacher(concurrency=3))
    assert len(server.asked) <= GIVE_UP + 3 and out.read_text() == ""
    mended.append(True)
    summary = ask(server, out, 40)
    assert summary["accepted_at_attempt"] == {0: 40} and summary["tokens_charged"] == 40 * 15


def test_an_endpoint_that_refuses_the_only_prompts_is_an_error_too(serve, out):
    with pytest.raises(UserError, match="2 requests in a row had no answer"):
        ask(serve(lambda body, n: (400, b"unknown field")), out, 2)


def test_a_server_that_is_not_there_is_one_line(serve, out):
    server = serve(lambda body, n: FINE)
    server.close()
    with pytest.raises(UserError, match="2 requests in a row had no answer, .*connection attempts failed, 3 times"):
        ask(server, out, 2)


def test_a_server_that_goes_away_keeps_what_was_answered_and_a_rerun_finishes(serve, out):
    up = lambda body: int(body["messages"][0]["content"][1:]) < 20  # noqa: E731
    server = serve(lambda body, n: FINE if up(body) else (503, b"gone"))
    with pytest.raises(UserError, match=f"{GIVE_UP} requests in a row had no answer, .*503: gone, 3 times"):
        ask(server, out, 60, Teacher(concurrency=4))
    assert len(rows(out)) == 20
    second = serve(lambda body, n: FINE)
    assert ask(second, out, 60)["accepted"] == 60
    assert len(second.asked) == 40 and not any(map(up, second.asked))


@pytest.mark.parametrize("concurrency", [1, 7])
def test_the_budget_is_never_exceeded_and_a_larger_one_continues(concurrency, serve, out):
    """A request reserves at most 3 + 20 + 30 = 53 tokens and takes 15 to 53: the sum never passes 500."""
    paid = []

    def answer(body, n):
        tokens = 5 + len(paid) % 29
        paid.append(10 + tokens)
        time.sleep(0.01)
        return completion("fine text", completion_tokens=tokens)

    server = serve(answer)
    small = Teacher(concurrency=concurrency, template_tokens=20, max_tokens=30, token_budget=500)
    with pytest.raises(BudgetSpent, match="token budget of 500 is used up: .*run again with a larger --token-budget"):
        ask(server, out, 60, small)
    assert sum(paid) <= 500 and sum(paid) > 500 - 53  # nor does it end before it has to
    assert json.loads(out.with_suffix(".summary.json").read_text())["tokens_charged"] == sum(paid)
    if concurrency > 1:
        assert server.most > 1
    with pytest.raises(BudgetSpent):
        ask(server, out, 60, small)
    before = len(server.asked)
    large = Teacher(concurrency=concurrency, template_tokens=20, max_tokens=30, token_budget=5_000)
    assert ask(server, out, 60, large)["accepted"] == 60
    assert len(server.asked) == 60 and before < 60


def test_tries_that_are_lost_count_against_the_budget_before_they_are_repeated(serve, out):
    """Room for one try of 2306 tokens and not for two."""
    server = serve(lambda body, n: None)
    with pytest.raises(UserError, match="1 requests in a row had no answer, .*not tried again: the token budget"):
        ask(server, out, 1, Teacher(token_budget=2306 * 2 - 1))
    assert len(server.asked) == 1


def test_the_key_is_sent_and_stands_in_no_file_and_no_message(serve, out, tmp_path):
    server = serve(lambda body, n: (401, b"wrong key sk-secret-1 given"))
    with pytest.raises(UserError, match=r"wrong key \*\*\* given") as error:
        ask(server, out, 2, key="sk-secret-1")
    assert server.headers["Authorization"] == "Bearer sk-secret-1"
    assert "sk-secret-1" not in str(error.value)
    assert not any(b"sk-secret-1" in path.read_bytes() for path in tmp_path.iterdir())
    assert "sk-secret-1" not in repr(Endpoint(server.url, "m", {}, 1, key="sk-secret-1"))


@pytest.mark.parametrize(
    "url, message",
    [
        ("localhost:8000/v1", "must begin with http"),
        ("ftp://host/v1", "must begin with http"),
        ("http://", "must begin with http"),
        ("http://user:word@host/v1", "holds a password"),
        ("https://host/v1?key=word", "holds a password"),
        ("ftp://user:word@host/v1", "holds a password"),
        ("http://user:word@host:port/v1", "no URL"),
    ],
)
def test_a_bad_url_is_one_line_without_a_password(url, message):
    with pytest.raises(UserError, match=message) as error:
        Endpoint(url, "m", {}, 1)
    assert "word" not in str(error.value).removeprefix("--endpoint holds a password")


def test_a_key_that_no_header_can_carry_is_one_line_without_it():
    with pytest.raises(UserError, match="TEACHER_API_KEY holds characters") as error:
        Endpoint("http://host/v1", "m", {}, 1, key="sk-sécret")
    assert "cret" not in str(error.value)


def test_what_is_under_way_is_cancelled_where_the_caller_ends(serve, tmp_path):
    """An answer arrives and the caller reads no further: closing waits for none of the slow ones."""

    def first_at_once(body, n):
        if body["messages"][0]["content"] != "p0":
            time.sleep(3)
        return FINE

    found = Endpoint(serve(first_at_once).url, "m", {}, 4)(
        (Request(i, 0, f"p{i}", 0, 100, i) for i in range(4)), Meter(Journal(tmp_path / "spent.jsonl"), 10**6)
    )
    start = time.monotonic()
    assert next(found).request.key == 0
    found.close()
    assert time.monotonic() - start < 2
