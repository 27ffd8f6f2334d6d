"""A small OpenAI-compatible server that answers, and fails, as a test says."""

import http.server
import json
import threading
import time


def completion(text: str | None, *, finish_reason="stop", prompt_tokens=10, completion_tokens=5, **message) -> dict:
    """A chat completion in OpenAI's form."""
    return {
        "object": "chat.completion",
        "model": "teacher",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": finish_reason}
        ],
        "usage": {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens},
    }


class _Listener(http.server.ThreadingHTTPServer):
    request_queue_size = 256  # connections that wait to be accepted: with the default of 5, many at once are reset

    def handle_error(self, request, client_address):
        pass  # the client gave up


class Server:
    """Answers with `answer(body, n)`, where n counts the requests with this prompt before this one.

    The answer is a completion (status 200), (status, body), (status, body, headers), bytes, or None: hang up. `asked`
    are the bodies, `most` the largest number of requests under way at once, `headers` those of the last request.
    """

    def __init__(self, answer):
        self.answer, self.asked, self.headers, self.most, self._now = answer, [], {}, 0, 0
        lock, outer = threading.Lock(), self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    n = sum(b["messages"] == body["messages"] for b in outer.asked)
                    outer.asked.append({**body, "path": self.path})
                    outer.headers = dict(self.headers)
                    outer._now += 1
                    outer.most = max(outer.most, outer._now)
                try:
                    found = outer.answer(body, n)
                finally:
                    with lock:
                        outer._now -= 1
                if found is None:
                    self.close_connection = True
                    return
                status, content, headers = (
                    found
                    if isinstance(found, tuple) and len(found) == 3
                    else ((*found, {}) if isinstance(found, tuple) else (200, found, {}))
                )
                content = content if isinstance(content, bytes) else json.dumps(content).encode()
                try:
                    self.send_response(status)
                    for name, value in {**headers, "Content-Length": str(len(content))}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(content)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True  # the client gave up

            def log_message(self, *args):
                pass

        self._server = _Listener(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def slow(seconds: float, answer):
    """`answer` after some time."""

    def wait(body, n):
        time.sleep(seconds)
        return answer(body, n)

    return wait


def prompts(n: int) -> list[dict]:
    """Valid prompts p0, p1, ... that forbid a comma."""
    return [
        {"key": i, "prompt": f"p{i}", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]} for i in range(n)
    ]
