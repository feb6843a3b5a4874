"""Wall and processor time together, to add and multiply where a part stands for the whole; and peak memory."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import numpy as np

_STATUS = Path("/proc/self/status")


def peak_memory() -> float:
    """Return the most memory that this process held, in MB.

    What `resource` tells begins with that of the process which started this one; what Linux tells does not.
    """
    if _STATUS.exists():
        (line,) = (line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Clock:
    """Runs from the moment it is made; `read` gives (seconds, seconds of the processor over all threads)."""

    def __init__(self) -> None:
        self._start = self._now()

    def read(self) -> np.ndarray:
        """Return what has passed."""
        return self._now() - self._start

    @staticmethod
    def _now() -> np.ndarray:
        return np.array([time.perf_counter(), time.process_time()])
