"""Weights that are published as pickles: read by the restricted unpickler, written as safetensors once."""

import errno
import io
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save
from support.locked_hub import POLAR, WEIGHTS, locked

from uniapl.data import hub, pickles
from uniapl.errors import UserError


def pickled(value) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


class Touch:
    """A pickle that creates a file where it is read as pickles are."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_pickled_weights_become_safetensors_once(serve, tmp_path, monkeypatch):
    locked(tmp_path, monkeypatch)
    files = {
        "config.json": b"{}",
        "pytorch_model.bin.index.json": b"{}",
        "pytorch_model-00001-of-00002.bin": pickled(WEIGHTS),
        "pytorch_model-00002-of-00002.bin": pickled({"norm.weight": torch.ones(3, dtype=torch.float16)}),
        "modeling_internlm2.py": b"raise SystemExit",
    }
    fake = serve(POLAR, files)
    folder = hub.folder(POLAR)
    names = [f"pytorch_model-0000{i}-of-00002.safetensors" for i in (1, 2)]
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", *names]
    assert load_file(folder / names[0])["v_head.weight"].tolist() == [[1.0, -2.0]]
    assert load_file(folder / names[1])["norm.weight"].dtype == torch.float16
    asked = len(fake.requests)
    assert hub.folder(POLAR) == folder and len(fake.requests) == asked
    assert hub.record(POLAR)["revision"] == "b" * 40


def test_a_pickle_that_would_run_code_is_refused_and_not_run(serve, tmp_path, monkeypatch):
    locked(tmp_path, monkeypatch)
    proof = tmp_path / "run"
    serve(POLAR, {"config.json": b"{}", "pytorch_model.bin": pickled({"a": Touch(proof)})})
    with pytest.raises(UserError, match="pytorch_model.bin: holds more than tensors, or is damaged"):
        hub.folder(POLAR)
    assert not proof.exists() and not list((tmp_path / "uniapl" / POLAR).iterdir())


@pytest.mark.parametrize("content", [pickled([1]), pickled({"a": 3}), b"", b"not a pickle"])
def test_a_pickle_that_is_no_state_dict_is_refused(tmp_path, content):
    (tmp_path / "x.bin").write_bytes(content)
    with pytest.raises(UserError, match="x.bin: (must be a dictionary of tensors|holds more than tensors)"):
        pickles.write_safetensors(tmp_path / "x.bin", tmp_path / "x.safetensors")


def test_a_repository_that_has_safetensors_by_now_is_used_as_it_is(serve, tmp_path, monkeypatch):
    locked(tmp_path, monkeypatch)
    serve(POLAR, {"config.json": b"{}", "model.safetensors": save(WEIGHTS), "pytorch_model.bin": b"never read"})
    assert "snapshots" in hub.folder(POLAR).parts


def test_two_processes_that_rewrite_at_once_agree(serve, tmp_path, monkeypatch):
    locked(tmp_path, monkeypatch)
    serve(POLAR, {"config.json": b"{}", "pytorch_model.bin": pickled(WEIGHTS)})
    write, target = pickles.write_safetensors, tmp_path / "uniapl" / POLAR / ("b" * 40)

    def overtaken(source, part):
        write(source, part)
        target.mkdir()
        write(source, target / "pytorch_model.safetensors")

    monkeypatch.setattr(pickles, "write_safetensors", overtaken)
    assert hub.folder(POLAR) == target
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_a_full_disk_while_rewriting_leaves_nothing(serve, tmp_path, monkeypatch):
    locked(tmp_path, monkeypatch)
    serve(POLAR, {"config.json": b"{}", "pytorch_model.bin": pickled(WEIGHTS)})

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pickles, "write_safetensors", full)
    with pytest.raises(UserError, match="^internlm/POLAR-1_8B: no space left in"):
        hub.folder(POLAR)
    assert not list((tmp_path / "uniapl" / POLAR).iterdir())
