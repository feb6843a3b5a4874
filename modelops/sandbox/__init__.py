"""The sandbox: the only room that touches the bytes of an uploaded file.

`detect` looks at a file without parsing it and refuses what is never opened. A `Worker` is a process that has walled
itself in (no network, no other files, no programs, limits of time and memory) before it imports anything; every model
and every table is opened in one. `protection` says how well that works on this machine, found by trying. What a worker
and its parent say to each other are frames of JSON and plain number arrays (`modelops.sandbox.wire`).
`modelops.sandbox.model_process` is the worker that opens models; `ModelClient` is how the analysis process, itself a
worker, asks it for predictions.
"""

from __future__ import annotations

from modelops.sandbox.channel import Channel
from modelops.sandbox.launch import Worker
from modelops.sandbox.limits import ANALYSIS_LIMITS, MODEL_LIMITS, Limits
from modelops.sandbox.process import protect_parent
from modelops.sandbox.spares import shutdown, warm
from modelops.sandbox.wire import Frame, Stream

__all__ = [
    "ANALYSIS_LIMITS",
    "MODEL_LIMITS",
    "Channel",
    "Frame",
    "Limits",
    "Stream",
    "Worker",
    "protect_parent",
    "shutdown",
    "warm",
]
