"""A Hugging Face hub behind huggingface_hub's own HTTP client: everything above the transport is the real library."""

import hashlib
import json
from dataclasses import dataclass, field

import httpx

KINDS = {"models": "model", "datasets": "dataset"}


@dataclass
class FakeHub:
    """Repositories with one commit each. `status` answers every request with that code and error, as a hub would."""

    commit: str
    files: dict[str, dict[str, bytes]]  # id -> name -> content
    status: tuple[int, str] | None = None
    requests: list[httpx.Request] = field(default_factory=list)

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self.answer), follow_redirects=True)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.status:
            code, error = self.status
            return httpx.Response(code, headers={"X-Error-Code": error} if error else {}, request=request)
        path = request.url.path.removeprefix("/api").strip("/").split("/")
        path = path[1:] if path[0] in KINDS else path
        id, verb, revision = "/".join(path[:2]), path[2], path[3]
        if id not in self.files:
            return httpx.Response(401, request=request)
        if revision not in (self.commit, "main"):
            return httpx.Response(404, headers={"X-Error-Code": "RevisionNotFound"}, request=request)
        return {"tree": self._tree, "resolve": self._resolve, "revision": self._info}[verb](id, path[4:], request)

    def _info(self, id: str, rest: list[str], request: httpx.Request) -> httpx.Response:
        body = {"id": id, "sha": self.commit, "gated": False, "private": False, "siblings": [], "tags": []}
        return httpx.Response(200, json=body, request=request)

    def _tree(self, id: str, rest: list[str], request: httpx.Request) -> httpx.Response:
        entries = [
            {"type": "file", "path": name, "size": len(content), "oid": _etag(content)}
            for name, content in self.files[id].items()
        ]
        return httpx.Response(200, content=json.dumps(entries), request=request)

    def _resolve(self, id: str, rest: list[str], request: httpx.Request) -> httpx.Response:
        content = self.files[id]["/".join(rest)]
        headers = {"X-Repo-Commit": self.commit, "ETag": f'"{_etag(content)}"', "Content-Length": str(len(content))}
        return httpx.Response(200, headers=headers, content=b"" if request.method == "HEAD" else content)


def _etag(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()
