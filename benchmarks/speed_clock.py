"""Wall and processor time together, to add and multiply where a part stands for the whole."""

from __future__ import annotations

import time

import numpy as np


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
