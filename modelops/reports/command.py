"""The command line that computes a result again."""

from __future__ import annotations

import shlex

from modelops.domain.result import AnalysisResult, InputRecord

_OPTIONS = {
    **{role: f"--{role}" for role in ("target", "prediction", "score", "weight", "time", "id", "sensitive")},
    "feature": "--features",
}
_CLASS = "score of class "
_LONGEST = 1_000


def command_line(result: AnalysisResult) -> str:
    """Return the command, with a placeholder for each file: which bytes it must have is told by the digests beside it.

    Only roles of the data are named; those of the reference are the same columns. A long text (a data contract) is read
    from a file too.
    """
    words = ["python", "-m", "modelops", "analyze", result.analysis]
    for part in ("data", "model", "champion", "reference", "train"):
        if part in result.inputs:
            words += [f"--{part}", part.upper()]
    words += _roles(result.inputs.get("data"))
    if result.positive is not None:
        words += ["--positive", result.positive]
    if "model" in result.inputs and result.inputs["model"].classes:
        words += ["--classes", ",".join(result.inputs["model"].classes)]
    words += ["--task", result.task]
    given = {name: _parameter(value) for name, value in result.parameters.items()}
    for name, text in given.items():
        words += ["--param", f"{name}={text}"] if len(text) <= _LONGEST else []
    command = shlex.join([*words, "--seed", str(result.seed), "--out", "RESULT.json"])
    files = (name for name, text in given.items() if len(text) > _LONGEST)
    return command + "".join(f' --param "{name}=$(cat {name.upper()})"' for name in files)


def _roles(data: InputRecord | None) -> list[str]:
    by_role: dict[str, list[str]] = {}
    for column, text in (data.roles if data else {}).items():
        if text.startswith(_CLASS):
            by_role.setdefault("score", []).append(f"{text.removeprefix(_CLASS)}={column}")
            continue
        for role in text.split(", "):
            by_role.setdefault(role, []).append(column)
    words = []
    for role, option in _OPTIONS.items():
        if role in by_role:
            words += [option, ",".join(by_role[role])]
    return words


def _parameter(value: object) -> str:
    if isinstance(value, list):
        return ",".join(_parameter(item) for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)
