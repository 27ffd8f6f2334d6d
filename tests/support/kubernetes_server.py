"""A stand-in for the API server of Kubernetes: `python kubernetes_server.py FOLDER` runs the pods of jobs as they come.

It writes its kubeconfig, the jobs that it got and the secrets to FOLDER. A pod runs in an empty folder of its own,
sees as many fake GPUs as its limit says, and, as in Kubernetes, cannot request GPUs without that limit.
"""

import base64
import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER = Path(sys.argv[1])
JOBS: dict[str, dict] = {}
SECRETS: dict[str, dict] = {}


def run(job: dict) -> int:
    """The exit code of the job's only container."""
    (container,) = job["spec"]["template"]["spec"]["containers"]
    folder = FOLDER / "pods" / job["metadata"]["name"]
    folder.mkdir(parents=True)
    env = {**os.environ, "UNIAPL_FAKE_GPUS": container["resources"].get("limits", {}).get("nvidia.com/gpu", "0")}
    for variable in container.get("env", []):
        reference = variable["valueFrom"]["secretKeyRef"]
        env[variable["name"]] = base64.b64decode(SECRETS[reference["name"]][reference["key"]]).decode()
    done = subprocess.run([*container["command"], *container["args"]], cwd=folder, env=env, capture_output=True)
    (FOLDER / "pods.log").open("ab").write(done.stdout + done.stderr)
    return done.returncode


class Server(BaseHTTPRequestHandler):
    def answer(self, body: dict, code: int = 200) -> None:
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = body["metadata"]["name"]
        if self.path.endswith("/secrets"):
            SECRETS[name] = body["data"]
            return self.answer(body, 201)
        with open(FOLDER / "jobs.jsonl", "a") as log:
            print(json.dumps(body), file=log)
        resources = body["spec"]["template"]["spec"]["containers"][0]["resources"]
        gpu = "nvidia.com/gpu"
        if resources["requests"].get(gpu) != resources.get("limits", {}).get(gpu):
            return self.answer({"kind": "Status", "message": f"limit must be set for {gpu}", "code": 422}, 422)
        JOBS[name] = {"failed": 1} if run(body) else {"succeeded": 1}
        return self.answer(body, 201)

    def do_GET(self):
        if "/pods" in self.path:
            return self.answer({"items": []})
        return self.answer({"metadata": {}, "status": JOBS[self.path.split("/")[-2]]})

    def do_DELETE(self):
        self.answer({"status": "Success"})

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    cluster = {"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    config = {"apiVersion": "v1", "kind": "Config", "current-context": "c", "clusters": [cluster]}
    config |= {"contexts": [context], "users": [{"name": "u", "user": {}}]}
    (FOLDER / "kubeconfig.new").write_text(json.dumps(config))
    (FOLDER / "kubeconfig.new").rename(FOLDER / "kubeconfig")
    server.serve_forever()
