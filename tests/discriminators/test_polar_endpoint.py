"""POLAR behind a pooling endpoint, against a server of ours."""

import http.server
import json
import threading
import time

import pytest
from support.polar_world import TRIPLES, polar_tokens

from uniapl.discriminators import polar
from uniapl.errors import UserError


@pytest.fixture
def server():
    """An HTTP server whose answers a test puts into `server.answers`: status, body, or a function of the request."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.asked.append((self.path, body))
            status, answer = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
            answer = answer(body) if callable(answer) else answer
            try:
                self.send_response(status)
                self.end_headers()
                self.wfile.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode())
            except BrokenPipeError:
                pass  # the client gave up, as it should

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.asked = True, []
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def lengths(body: dict) -> dict:
    """vLLM's answer, last text first: one score per token, the last of which is the text's number of characters."""
    rows = [{"index": i, "data": [[-1.0], [float(len(text))]]} for i, text in enumerate(body["input"])]
    return {"object": "list", "data": rows[::-1]}


def endpoint(server, **changes) -> polar.Endpoint:
    given = {"timeout": 5.0, "backoff": 0.01, **changes}
    return polar.Endpoint(f"http://127.0.0.1:{server.server_port}", "internlm/POLAR-7B", **given)


def test_the_endpoint_gives_scores_in_the_order_of_the_texts(server):
    server.answers = [(200, lengths)]
    expected = [len(f"{p}\n{r}<|reward|>{p}\n{y}[UNUSED_TOKEN_130]") for p, r, y in zip(*TRIPLES, strict=True)]
    assert endpoint(server, batch=3).score(*TRIPLES).tolist() == expected
    assert [len(body["input"]) for _, body in server.asked] == [3, 1]
    path, body = server.asked[0]
    assert (path, body["model"]) == ("/pooling", "internlm/POLAR-7B")
    assert body["input"][0] == "ab c\nd.<|reward|>ab c\nde[UNUSED_TOKEN_130]"


def test_the_endpoint_cuts_texts_where_it_has_a_tokenizer(server):
    server.answers = [(200, lengths)]
    endpoint(server, tokens=polar_tokens(max_response=3)).score(["ab"], ["cdef"], ["<think>x</think>ghij"])
    assert server.asked[0][1]["input"] == ["ab\ncd<|reward|>ab\ngh[UNUSED_TOKEN_130]"]


def test_a_server_error_is_tried_again(server):
    server.answers = [(500, b"warming up"), (200, lengths)]
    assert endpoint(server).score(["a"], ["b"], ["c"]).shape == (1,)
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "status, answer, attempts, message",
    [
        (500, b"down", 3, r"status 500 \(b'down'\), after 3 attempts"),
        (400, b"too long", 1, r"status 400 \(b'too long'\)"),
        (200, b"<html>garbage", 1, "no pooling answer: b'<html>garbage'"),
        (200, {"data": [{"index": 0, "data": []}]}, 1, "no pooling answer"),
        (200, {"data": []}, 1, "0 scores for 1 texts"),
        (200, ["x"], 1, "no pooling answer"),
    ],
)
def test_a_bad_answer_is_one_line_that_names_the_url(server, status, answer, attempts, message):
    server.answers = [(status, answer)]
    with pytest.raises(UserError, match=f"http://127.0.0.1:{server.server_port}/pooling: {message}") as error:
        endpoint(server, retries=2).score(["a"], ["b"], ["c"])
    assert "\n" not in str(error.value) and len(server.asked) == attempts


def test_a_timeout_an_absent_server_and_a_bad_url_are_one_line(server):
    server.answers = [(200, lambda body: time.sleep(0.5) or lengths(body))]
    with pytest.raises(UserError, match="timed out, after 2 attempts"):
        endpoint(server, timeout=0.05, retries=1).score(["a"], ["b"], ["c"])
    with pytest.raises(UserError, match="http://127.0.0.1:9/pooling: .*refused.*, after 1 attempts"):
        polar.Endpoint("http://127.0.0.1:9", "m", retries=0).score(["a"], ["b"], ["c"])
    with pytest.raises(UserError, match="begins with http://"):
        polar.Endpoint("localhost", "m").score(["a"], ["b"], ["c"])
