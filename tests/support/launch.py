"""Processes that work together, forked from one that has imported everything: the variables are a launcher's."""

import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable


def launched(count: int, work: Callable[[], None], variables: dict[str, str]) -> list[int]:
    """How `count` processes that do this together ended, by rank: 0, or minus a signal. Where one fails, the others are
    killed, as a launcher does it. One alone has none of the variables."""
    with socket.socket() as any_free:
        any_free.bind(("127.0.0.1", 0))
        port = str(any_free.getsockname()[1])
    variables = variables | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": str(count)}
    codes, ranks = {}, {}
    for rank in range(count):
        if not (pid := os.fork()):
            if count > 1:
                os.environ |= variables | {"RANK": str(rank), "LOCAL_RANK": str(rank)}
            os._exit(_ended(work))
        ranks[pid] = rank
    while len(codes) < count:
        pid, status = os.wait()
        codes[pid] = os.waitstatus_to_exitcode(status)
        for other in ranks.keys() - codes if codes[pid] else ():
            os.kill(other, signal.SIGKILL)
    return [codes[pid] for pid in ranks]


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
