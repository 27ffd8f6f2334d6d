"""A lock of the hub in which every field can be changed, and weights to serve."""

import json
from pathlib import Path

import torch

from uniapl.data import hub

STUDENT, POLAR, IFEVAL = "Qwen/Qwen3-0.6B", "internlm/POLAR-1_8B", "google/IFEval"
TOKEN = "hf_secretsecretsecret"
WEIGHTS = {"v_head.weight": torch.tensor([[1.0, -2.0]])}


def locked(tmp_path, monkeypatch, **changes) -> Path:
    """A copy of the lock in which POLAR is pinned, and any field of an id can be changed."""
    fields = json.loads(hub.LOCK.read_text())
    fields[POLAR]["revision"] = "b" * 40
    for id, changed in changes.items():
        fields[id] |= changed
    path = tmp_path / "hub.lock.json"
    path.write_text(json.dumps(fields))
    monkeypatch.setattr(hub, "LOCK", path)
    return path
