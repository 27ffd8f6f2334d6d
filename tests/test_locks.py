"""A file system without locks: work goes on and says what is lost, but no two jobs get one GPU."""

import errno
import fcntl
import os

import pytest

from uniapl.dag import lease
from uniapl.dag.snakemake import hold_run_lock, wait_for_orphans
from uniapl.data.teach.ledger import Journal
from uniapl.errors import UserError
from uniapl.train.state import sole_training

ANSWERS = [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP]


def train(path) -> None:
    with sole_training(path.parent):
        pass


def teach(path) -> None:
    with Journal(path) as journal:
        journal.append({"key": 1})


def test_of_runs_side_by_side_each_holds_the_lock_until_its_end(tmp_path):
    path = tmp_path / "lock"
    with open(path, "w") as first, open(path) as make:
        fcntl.flock(first, fcntl.LOCK_SH)  # as another process that draws figures
        hold_run_lock(path)
        first.close()
        with pytest.raises(BlockingIOError):
            fcntl.flock(make, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.fixture(params=ANSWERS, ids=errno.errorcode.get)
def no_locks(request, monkeypatch):
    def refuse(file, kind):
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", refuse)


@pytest.mark.parametrize("work", [train, teach, hold_run_lock, wait_for_orphans])
def test_where_there_are_no_locks_work_goes_on_and_one_line_says_what_is_lost(work, no_locks, tmp_path, capsys):
    work(tmp_path / "lock")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{tmp_path}/lock: this file system has no locks (")


def test_without_locks_no_gpu_is_leased(no_locks, tmp_path):
    with pytest.raises(UserError, match="let UNIAPL_LEASES name a folder of a disk with locks"):
        lease.take([lease.Device("0", "GPU-0")], 1, tmp_path, "a job")
