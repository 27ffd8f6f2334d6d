"""Locks of the kernel (flock): they keep a second process out, and whoever holds one gives it back however it ends."""

import errno
import fcntl
import sys
from pathlib import Path

# what file systems without locks answer: NFS without its daemon, Lustre mounted without `flock`, some in user space
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


def lock(file, path: Path | str, lost: str, kind: int = fcntl.LOCK_EX) -> bool:
    """Lock the open file at `path` until it is closed; False where another process has it.

    A file system without locks stops no work: one line says so, and what is `lost` by it, and the answer is True.
    """
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        print(f"{path}: this file system has no locks ({error.strerror}): {lost}", file=sys.stderr, flush=True)
    return True
