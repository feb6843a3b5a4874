"""What `footprint` reports, each metric in one line."""

from __future__ import annotations

COSTS: dict[str, str] = {
    "latency_p50": "Half of the calls with so many rows take at most this long, in seconds.",
    "latency_p95": "Nineteen in twenty calls with so many rows take at most this long, in seconds.",
    "latency_p99": "Ninety-nine in a hundred calls with so many rows take at most this long, in seconds.",
    "throughput": "Rows answered in a second by one thread, when asked so many at a time.",
    "processor_time_per_row": "Mean processor time of a row, in seconds, when asked so many at a time.",
    "load_time": "Time to open the model file, in seconds: median.",
    "resident_memory": "Memory of the model's process after answering, in bytes, libraries included.",
    "peak_memory": "Most memory that the model's process took so far, in bytes, libraries included.",
    "share_of_limit": "What was measured as a share of the declared limit; above 1 the limit is exceeded.",
}
"""Times and memory: they depend on the machine and its load."""

METRICS: dict[str, str] = COSTS | {"file_size": "Size of the model file in bytes."}
