"""Models and data at pinned revisions: what is downloaded, what stands for the hub, and one line for each failure.

The hub is `fake_hub`, behind huggingface_hub's HTTP client; everything above the transport is the real library.
"""

import errno
import json
import subprocess
import sys
from fnmatch import fnmatch

import httpx
import huggingface_hub
import pytest
from huggingface_hub import constants
from safetensors.torch import save
from support.locked_hub import IFEVAL, POLAR, STUDENT, TOKEN, WEIGHTS, locked

from uniapl.data import hub
from uniapl.errors import UserError

IDS = {
    "Qwen/Qwen3-0.6B",
    "Qwen/Qwen3-4B",
    "Qwen/Qwen3-32B",
    "Qwen/Qwen3-235B-A22B-Instruct-2507",
    "internlm/POLAR-1_8B",
    "internlm/POLAR-7B",
    "allenai/IF_multi_constraints_upto5",
    "argilla/ifeval-like-data",
    "google/IFEval",
    "allenai/IFBench_test",
    "facebook/Multi-IF",
}


# the lock -----------------------------------------------------------------------------------------


def test_a_stage_is_run_again_for_the_revisions_of_what_it_reads():
    assert hub.pinned("a/folder", STUDENT, IFEVAL) == " ".join(
        f"{id}@{hub.entry(id).revision}" for id in (STUDENT, IFEVAL)
    )


def test_the_lock_has_every_id_and_pins_all_but_polar():
    entries = hub.lock()
    assert entries.keys() == IDS
    assert {id for id, one in entries.items() if one.revision is None} == {"internlm/POLAR-1_8B", "internlm/POLAR-7B"}


@pytest.mark.parametrize("name", ["pytorch_model.bin", "a/x.pkl", "model.pt", "modeling_x.py", "like_dataset.py"])
def test_the_lock_asks_for_no_pickle_and_no_code(name):
    assert not [one.id for one in hub.lock().values() for pattern in one.files if fnmatch(name, pattern)]


def test_an_id_that_is_not_in_the_lock_is_refused():
    with pytest.raises(UserError, match="^unknown hub id 'Qwen/Qwen3-0.6': .*did you mean 'Qwen/Qwen3-0.6B'"):
        hub.folder("Qwen/Qwen3-0.6")


@pytest.mark.parametrize("revision", ["main", "abc", "G" * 40, "a" * 41, ""])
def test_a_lock_with_a_branch_or_a_short_revision_is_refused(tmp_path, monkeypatch, revision):
    locked(tmp_path, monkeypatch, **{IFEVAL: {"revision": revision}})
    with pytest.raises(UserError, match="google/IFEval: kind must be model or dataset, revision 40"):
        hub.lock()


@pytest.mark.parametrize("text", ["{", "[]", '{"a/b": {}}', '{"a/b": 3}'])
def test_a_broken_lock_is_one_line(tmp_path, monkeypatch, text):
    monkeypatch.setattr(hub, "LOCK", tmp_path / "hub.lock.json")
    hub.LOCK.write_text(text)
    with pytest.raises(UserError, match="^.*hub.lock.json: "):
        hub.lock()


# downloads ----------------------------------------------------------------------------------------


def test_the_files_of_the_lock_are_downloaded_at_the_pinned_revision_and_no_others(serve):
    fake = serve(IFEVAL, {"ifeval_input_data.jsonl": b"{}\n", "README.md": b"#", "script.py": b"x", "data.pkl": b"x"})
    folder = hub.folder(IFEVAL)
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "ifeval_input_data.jsonl"]
    assert folder.name == hub.entry(IFEVAL).revision
    paths = [request.url.path for request in fake.requests]
    assert all("/main" not in path for path in paths)
    assert {path for path in paths if "resolve" in path} == {
        f"/datasets/google/IFEval/resolve/{folder.name}/{name}" for name in ("README.md", "ifeval_input_data.jsonl")
    }


def test_what_is_in_the_cache_is_used_without_the_network(serve):
    fake = serve(STUDENT, {"config.json": b"{}", "model.safetensors": save(WEIGHTS)})
    folder = hub.folder(STUDENT)
    asked = len(fake.requests)
    assert hub.folder(STUDENT) == folder and len(fake.requests) == asked > 0
    assert hub.record(STUDENT) == {"id": STUDENT, "licence": "apache-2.0", "revision": hub.entry(STUDENT).revision}


def test_a_model_without_safetensors_is_refused(serve):
    serve(STUDENT, {"config.json": b"{}", "pytorch_model.bin": b"x"})
    with pytest.raises(UserError, match=r"has no \*.safetensors, which Qwen/Qwen3-0.6B must have"):
        hub.folder(STUDENT)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ((404, "RevisionNotFound"), "no longer has revision c1899de289a04d12.*uniapl.data.hub pin Qwen/Qwen3-0.6B"),
        (
            (403, "GatedRepo"),
            r"accept its licence \(apache-2.0\) on https://huggingface.co/Qwen/Qwen3-0.6B and set",
        ),
        ((401, "GatedRepo"), "accept its licence"),
        ((404, "RepoNotFound"), "shows no such model; it is gone, or HF_TOKEN is missing, wrong or has no access"),
        ((401, ""), "shows no such model"),
        ((400, ""), "the hub answered 400; try again later"),
    ],
)
def test_what_the_hub_refuses_is_one_line_without_the_token(serve, status, message):
    serve(STUDENT, {}, status=status)
    with pytest.raises(UserError, match=f"^Qwen/Qwen3-0.6B: .*{message}") as error:
        hub.folder(STUDENT)
    assert TOKEN not in str(error.value) and "\n" not in str(error.value)


def test_a_revision_that_moved_is_told_from_one_that_is_there(serve):
    serve(STUDENT, {"config.json": b"{}"}, commit="d" * 40)
    with pytest.raises(UserError, match="no longer has revision"):
        hub.folder(STUDENT)


def test_offline_and_not_in_the_cache(cache, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="^google/IFEval: not complete in the cache .*cannot be reached .*UNIAPL_HUB"):
        hub.folder(IFEVAL)


def test_a_hub_that_cannot_be_reached(cache, monkeypatch):
    def refuse(request):
        raise httpx.ConnectError("refused", request=request)

    huggingface_hub.set_client_factory(lambda: httpx.Client(transport=httpx.MockTransport(refuse)))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(UserError, match=r"the hub cannot be reached \((ConnectError|LocalEntryNotFoundError)\)"):
        hub.folder(IFEVAL)
    huggingface_hub.set_client_factory(httpx.Client)


def test_a_full_disk_while_downloading(serve, monkeypatch):
    serve(IFEVAL, {"ifeval_input_data.jsonl": b"{}\n"})

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", full)
    with pytest.raises(UserError, match="^google/IFEval: no space left in .*HF_HOME"):
        hub.folder(IFEVAL)


def test_an_error_of_the_code_is_no_users_error(cache, monkeypatch):
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *args, **kwargs: {}["a bug"])
    with pytest.raises(KeyError):
        hub.folder(IFEVAL)


def test_an_id_that_is_not_pinned_says_how_to_pin_it(cache):
    for use in (hub.folder, hub.record):
        with pytest.raises(UserError, match=f"^{POLAR}: is not pinned; .*uniapl.data.hub pin {POLAR}$"):
            use(POLAR)


# a directory instead of the hub ------------------------------------------------------------------


@pytest.fixture
def local(tmp_path, monkeypatch):
    """A local hub with a model."""
    root = tmp_path / "local"
    (root / STUDENT).mkdir(parents=True)
    (root / STUDENT / "config.json").write_text("{}")
    (root / STUDENT / "model.safetensors").write_bytes(save(WEIGHTS))
    monkeypatch.setenv(hub.VARIABLE, str(root))
    return root


def test_a_local_hub_is_used_for_pinned_and_unpinned_ids(local):
    assert hub.folder(STUDENT) == local / STUDENT
    (local / STUDENT).rename(local / "polar")
    (local / "internlm").mkdir()
    (local / "polar").rename(local / POLAR)
    assert hub.folder(POLAR) == local / POLAR


def test_a_local_hub_must_be_there_have_the_id_and_its_files(local, monkeypatch):
    with pytest.raises(UserError, match="has no google/IFEval; put it there, or unset UNIAPL_HUB"):
        hub.folder(IFEVAL)
    (local / STUDENT / "model.safetensors").rename(local / STUDENT / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"has no \*.safetensors"):
        hub.folder(STUDENT)
    monkeypatch.setenv(hub.VARIABLE, str(local / "nowhere"))
    with pytest.raises(UserError, match="^UNIAPL_HUB=.*nowhere: no such directory"):
        hub.folder(STUDENT)


def test_the_record_of_a_local_hub_changes_with_a_file_that_is_used_and_only_then(local, monkeypatch):
    before = hub.record(STUDENT)
    assert before["revision"] == "local" and len(before["sha256"]) == 64
    (local / STUDENT / "notes.txt").write_text("not asked for")
    assert hub.record(STUDENT) == before
    (local / STUDENT / "config.json").write_text("[]")  # as long as before
    assert hub.record(STUDENT) != before
    changed = hub.record(STUDENT)
    monkeypatch.setattr(hub, "HASHED", 0)  # sizes alone: the same as before for files of the same size
    sizes = hub.record(STUDENT)
    (local / STUDENT / "config.json").write_text("{}")
    assert hub.record(STUDENT) == sizes != changed


# pin, list ----------------------------------------------------------------------------------------


def test_pin_writes_the_commit_that_the_hub_has_now(serve, tmp_path, monkeypatch):
    path = locked(tmp_path, monkeypatch, **{POLAR: {"revision": None}})
    path.write_text(hub._lock_text(json.loads(path.read_text())))
    before = path.read_text()
    serve(POLAR, {}, commit="e" * 40)
    assert hub.pin(POLAR) == "e" * 40 == hub.entry(POLAR).revision
    different = [
        pair for pair in zip(before.split("\n"), path.read_text().split("\n"), strict=True) if pair[0] != pair[1]
    ]
    assert different == [('    "revision": null,', f'    "revision": "{"e" * 40}",')]


def test_the_committed_lock_is_laid_out_as_pin_writes_it():
    assert hub._lock_text(json.loads(hub.LOCK.read_text())) == hub.LOCK.read_text()


def test_pin_that_fails_leaves_the_lock(serve, tmp_path, monkeypatch):
    path = locked(tmp_path, monkeypatch)
    before = path.read_text()
    serve(POLAR, {}, commit="e" * 40, status=(401, ""))
    with pytest.raises(UserError, match="shows no such model"):
        hub.pin(POLAR)
    assert path.read_text() == before


def test_pin_that_cannot_write_says_what_to_write(serve, tmp_path, monkeypatch):
    locked(tmp_path, monkeypatch)
    (tmp_path / "hub.lock.part").mkdir()
    serve(IFEVAL, {}, commit="e" * 40)
    with pytest.raises(UserError, match=f"hub.lock.json: .*write the commit {'e' * 40} of {IFEVAL} into it by hand"):
        hub.pin(IFEVAL)


def test_the_command_line_lists_and_refuses_in_one_line(tmp_path):
    environment = {"PATH": "", "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1", "HF_TOKEN": TOKEN}
    environment["PYTHONPATH"] = str(hub.ROOT)

    def run(*arguments):
        command = [sys.executable, "-m", "uniapl.data.hub", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)

    listed = run("list")
    assert listed.returncode == 0 and {line.split()[0] for line in listed.stdout.splitlines()} == IDS
    assert "NOT PINNED" in next(line for line in listed.stdout.splitlines() if line.startswith(POLAR))
    fetched = run("fetch", IFEVAL)
    assert (fetched.returncode, fetched.stdout) == (2, "")
    assert (
        fetched.stderr.startswith("error: google/IFEval: not complete in the cache") and fetched.stderr.count("\n") == 1
    )
    assert TOKEN not in fetched.stderr
