"""Processes forked from one that has imported everything: alone, or together, as a launcher starts them."""

import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable

from accelerate.state import AcceleratorState


def launched(count: int, work: Callable[[], None], variables: dict[str, str]) -> list[int]:
    """How `count` processes that do this together ended, by rank: 0, or minus a signal. Where one fails, the others are
    killed, as a launcher does it. One alone has none of the variables."""
    with socket.socket() as any_free:
        any_free.bind(("127.0.0.1", 0))
        port = str(any_free.getsockname()[1])
    variables = variables | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": str(count)}
    pids, codes = [], {}
    for rank in range(count):
        of_rank = variables | {"RANK": str(rank), "LOCAL_RANK": str(rank)} if count > 1 else {}
        pids.append(begun(work, of_rank, group=pids[0] if pids else 0))
    while len(codes) < count:
        pid, status = os.waitpid(-pids[0], 0)
        codes[pid] = os.waitstatus_to_exitcode(status)
        for other in set(pids) - codes.keys() if codes[pid] else ():
            os.kill(other, signal.SIGKILL)
    return [codes[pid] for pid in pids]


def begun(work: Callable[[], None], variables: dict[str, str] | None = None, group: int = 0) -> int:
    """The process, in this group or one of its own, that does this with these variables, and knows nothing of how many
    work in the one that it is forked from."""
    if pid := os.fork():
        os.setpgid(pid, group)
        return pid
    os.setpgid(0, group)
    os.environ |= variables or {}
    AcceleratorState._reset_state(reset_partial_state=True)
    os._exit(_ended(work))


def wait_until(ready: Callable[[], object], pid: int) -> None:
    """Wait for what the process does. Raises AssertionError where it ended before."""
    while not ready():
        assert os.waitpid(pid, os.WNOHANG) == (0, 0), "the process ended too early"
        time.sleep(0.02)


def kill(pid: int) -> None:
    """kill -9, and wait for the end."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def _ended(work: Callable[[], None]) -> int:
    """1 where the work raises, after its traceback."""
    try:
        work()
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0
