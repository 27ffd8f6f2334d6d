"""`vllm serve` with weight transfer, as TRL's trainers ask it over HTTP: what it is asked is kept, and it answers.

The engine behind it is the stand-in of tests/support/stand_ins; weights come by its wire, in the place of NCCL.
"""

import http.server
import json
import threading
from urllib.parse import urlparse

CONFIG = {"weight_transfer_config": {"backend": "nccl"}, "model_config": {"logprobs_mode": "processed_logprobs"}}


class VLLMServer:
    """Serves one engine. `asked` has (path, body) of every request, `config` is what /server_info says, None: 404."""

    def __init__(self, engine, config: dict | None = CONFIG):
        self.engine, self.config, self.asked = engine, config, []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.answer(outer.get(urlparse(self.path).path))

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.answer(outer.post(self.path, json.loads(body or b"{}")))

            def answer(self, value):
                content = json.dumps(value).encode()
                self.send_response(404 if value is None else 200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def get(self, path: str):
        self.asked.append((path, None))
        answers = {"/health": {}, "/v1/models": {"data": [{"id": "a policy"}]}, "/get_world_size": {"world_size": 1}}
        answers["/server_info"] = self.config and {"vllm_config": self.config}
        return answers.get(path)

    def post(self, path: str, body: dict):
        self.asked.append((path, body))
        if path == "/v1/completions":
            return {"choices": self.choices(body)}
        if path == "/update_weights":
            self.receive(**body["update_info"])
        if path == "/reset_prefix_cache":
            self.engine.reset_prefix_cache()
            return {"success": True}
        return {}

    def receive(self, names: list[str], dtype_names: list[str], shapes: list[list[int]]) -> None:
        """Take from the wire what was announced, in that order."""
        from vllm import WIRE

        for name, dtype, shape in zip(names, dtype_names, shapes, strict=True):
            value = WIRE.get(timeout=60)
            if [str(value.dtype), list(value.shape)] != [f"torch.{dtype}", shape]:
                raise ValueError(f"{name}: announced {dtype} {shape}, and {value.dtype} {value.shape} came")
            self.engine.load_weights([(name, value)])

    def choices(self, body: dict) -> list[dict]:
        """The n samples of each prompt, those of one prompt after another."""
        from vllm import SamplingParams

        other = ("model", "prompt", "return_token_ids", "return_tokens_as_token_ids")
        wanted = SamplingParams(**{name: value for name, value in body.items() if name not in other})
        prompts = [{"prompt_token_ids": ids} for ids in body["prompt"]]
        return [
            {"prompt_token_ids": done.prompt_token_ids, "token_ids": sample.token_ids, "logprobs": legible(sample)}
            for done in self.engine.generate(prompts, wanted)
            for sample in done.outputs
        ]


def legible(sample) -> dict:
    """A sample's log-probabilities as the completions API has them, tokens as their ids."""
    of_tokens = [{f"token_id:{id}": found.logprob for id, found in one.items()} for one in sample.logprobs]
    return {
        "tokens": [f"token_id:{id}" for id in sample.token_ids],
        "token_logprobs": [next(iter(one.values())) for one in of_tokens],
        "top_logprobs": of_tokens,
    }
