"""Model, data and an analysis in, a result out. No database; used by jobs, the command line and the API.

The parent side (this module) never parses an upload: it starts two sandboxed processes, the analysis process
(`modelops.evaluation.analysis_process`) with the tables and, where a model is given, the model process, which sees
features and none of the labels that it is measured on. What comes back is a record that is validated before it is
believed; digests, versions and protection are the parent's own.
"""

from modelops.evaluation.comparing import Comparison, Difference, Reproduction, compare, request_of
from modelops.evaluation.inspecting import file_kind, inspect_model, inspect_table
from modelops.evaluation.repeating import failed, repeat
from modelops.evaluation.request import EvaluationRequest, InputFiles
from modelops.evaluation.running import evaluate
from modelops.evaluation.workers import keep_spares

__all__ = [
    "Comparison",
    "Difference",
    "EvaluationRequest",
    "InputFiles",
    "Reproduction",
    "compare",
    "evaluate",
    "failed",
    "file_kind",
    "inspect_model",
    "inspect_table",
    "keep_spares",
    "repeat",
    "request_of",
]
