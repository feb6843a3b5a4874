"""Places where a test may stop the process, to show that a power cut leaves nothing half done."""

from __future__ import annotations

import os
import signal

_VARIABLE = "MODELOPS_FAILPOINT"
NAMES = ("before commit", "after commit", "before seal", "after seal")


def failpoint(name: str) -> None:
    """Kill this process without any clean-up if the environment asks for it at ``name``; otherwise do nothing."""
    if os.environ.get(_VARIABLE) == name:
        os.kill(os.getpid(), signal.SIGKILL)
