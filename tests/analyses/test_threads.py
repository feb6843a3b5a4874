"""Models of our own keep to one thread where the rows are few, also before scikit-learn is loaded."""

from __future__ import annotations

import subprocess
import sys

from modelops.analyses.threads import MANY_ROWS

_ASKED = """
import os
os.environ.pop("OMP_NUM_THREADS", None)
from modelops.analyses.threads import threads_for
with threads_for({rows}):
    from sklearn.utils._openmp_helpers import _openmp_effective_n_threads
    print(_openmp_effective_n_threads(), os.cpu_count())
"""


def test_few_rows_keep_to_one_thread_and_many_do_not():
    few, cores = _threads(MANY_ROWS - 1)
    many, _ = _threads(MANY_ROWS)
    assert few == 1
    assert many > 1 or cores == 1


def _threads(rows: int) -> tuple[int, int]:
    said = subprocess.check_output([sys.executable, "-c", _ASKED.format(rows=rows)], text=True).split()
    return int(said[0]), int(said[1])
