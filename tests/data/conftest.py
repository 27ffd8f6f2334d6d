"""The hub as its tests see it: an empty cache, and a fake hub in place of the real one."""

import httpx
import huggingface_hub
import pytest
from huggingface_hub import constants
from support.fake_hub import FakeHub
from support.locked_hub import TOKEN

from uniapl.data import hub


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and no environment that changes where files come from."""
    monkeypatch.delenv(hub.VARIABLE, raising=False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    for name, value in {
        "HF_HUB_OFFLINE": False,
        "HF_HUB_CACHE": str(tmp_path / "hub"),
        "HF_HOME": str(tmp_path),
    }.items():
        monkeypatch.setattr(constants, name, value)
    return tmp_path


@pytest.fixture
def serve(cache):
    """Start a fake hub for one id, at the revision that the lock pins or at another; it replaces the HTTP client."""

    def start(id: str, files: dict[str, bytes], commit: str | None = None, status=None) -> FakeHub:
        fake = FakeHub(commit or hub.entry(id).revision, {id: files}, status)
        huggingface_hub.set_client_factory(fake.client)
        return fake

    yield start
    huggingface_hub.set_client_factory(httpx.Client)
