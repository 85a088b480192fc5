"""Half-written tables beside their targets: which are still being written, and which a killed command left."""

from __future__ import annotations

import contextlib
import tempfile
from hashlib import sha256
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: nothing is cleared there, for nobody can tell whether it is in use
    fcntl = None  # type: ignore[assignment]


def open_temp_sibling(target: Path) -> tuple[int, Path]:
    """Open a new file beside a target, clearing what killed commands left of the same target.

    The system holds a lock on the file for as long as its writer lives, so that one in use is told from one left.

    Raises:
        OSError: the folder cannot be written.
    """
    prefix = f".rowcite-{sha256(target.name.encode()).hexdigest()[:8]}-"  # a name may be too long for more
    if fcntl is not None:
        for left in target.parent.glob(f"{prefix}*.tmp"):
            with contextlib.suppress(OSError), left.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()
    handle, name = tempfile.mkstemp(prefix=prefix, suffix=".tmp", dir=target.parent)
    if fcntl is not None:
        with contextlib.suppress(OSError):  # some network folders know no locks
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return handle, Path(name)
