"""One case on the screen: choosing it, editing it, and what the model says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from modelops.analyses.what_if.paper import LEVEL_SEPARATOR
from modelops.domain.columns import Task
from modelops.domain.record import Scalar
from modelops.domain.result import AnalysisResult, ResultTable
from modelops.evaluation import EvaluationRequest
from modelops.services import runs
from modelops.store.tables import DatasetRow, RunRow, VersionRow
from modelops.ui import frame
from modelops.ui.frame import Page
from modelops.ui.text import plain

WHAT_IF = "pages/analyses/what_if.py"
KEY = "what_if"
_FIRST = 6
_LONGEST_LIST = 500
_NO_NUMBER = "missing"


@dataclass(frozen=True)
class Column:
    """One feature of the case: what it is, what it may be, how it is edited."""

    name: str
    kind: str
    value: Scalar
    edited: Scalar
    low: Scalar
    high: Scalar
    levels: tuple[str, ...]
    other: Scalar
    may_change: bool
    contribution: float | None


def columns_of(paper: ResultTable) -> list[Column]:
    """Return the features of a case, what matters most first."""
    found = []
    for row in paper.rows:
        name, kind, value, edited, low, high, levels, other, may_change, contribution = row
        listed = tuple(str(levels).split(LEVEL_SEPARATOR)) if levels else ()
        weight = float(contribution) if isinstance(contribution, float | int) else None
        found.append(Column(str(name), str(kind), value, edited, low, high, listed, other, bool(may_change), weight))
    return found


def case_of(run: RunRow) -> dict[str, str]:
    """Return the address at which a case of the data of a run is chosen."""
    return {"version": str(run.version_id), "data": str(run.data_id)}


def choose(page: Page, versions: Sequence[VersionRow], datasets: Sequence[DatasetRow]) -> None:
    """Show the form in which a version, a dataset and a row are chosen; then the model is asked."""
    by_id = {version.id: version.label for version in reversed(versions)}
    tables = {row.id: f"{row.name} ({row.role})" for row in datasets}
    asked = page.number("version"), page.number("data")
    with st.form("choose a case"):
        version = st.selectbox(
            "Version",
            list(by_id),
            index=list(by_id).index(asked[0]) if asked[0] in by_id else 0,
            format_func=lambda number: by_id[number],
        )
        data = st.selectbox(
            "Data",
            list(tables),
            index=list(tables).index(asked[1]) if asked[1] in tables else 0,
            format_func=lambda number: tables[number],
        )
        row = st.number_input("Row", min_value=1, value=page.number("row") or 1, step=1, help="The first row is 1.")
        submitted = st.form_submit_button("Look at this case", type="primary", icon=":material/search:")
    if submitted:
        with frame.refusals_shown():
            run = runs.request_run(
                page.store,
                KEY,
                actor=page.actor,
                at=page.at,
                data_id=data or 0,
                version_id=version,
                parameters={"row": int(row)},
            )
            st.query_params.from_dict({"run": str(run.id)})
            st.rerun()


def ask(page: Page, run: RunRow, **changed: object) -> None:
    """Ask once more about the case of a run, with other edits or limits; then the new run is shown."""
    request = EvaluationRequest.model_validate(run.request)
    with frame.refusals_kept(KEY):
        again = runs.request_run(
            page.store,
            KEY,
            actor=page.actor,
            at=page.at,
            data_id=run.data_id,
            version_id=run.version_id,
            parameters={**request.parameters, **changed},
            seed=request.seed,
            review_id=run.review_id,
            question_id=run.question_id,
        )
        st.query_params["run"] = str(again.id)


def editor(page: Page, run: RunRow, result: AnalysisResult, columns: Sequence[Column]) -> None:
    """Show the values of the case as a form: the few that matter most first; asking makes a new run."""
    parameters = result.parameters
    with st.form(f"edit {run.id}"):
        st.markdown("**The case**")
        values = {one.name: _widget(run.id, one) for one in columns[:_FIRST]}
        if rest := columns[_FIRST:_LONGEST_LIST]:
            with st.expander(f"{len(rest):d} more columns"):
                values |= {one.name: _widget(run.id, one) for one in rest}
        with st.expander("What may change for another outcome"):
            limits = _limits(run.id, result, columns)
        submitted = st.form_submit_button("Ask the model", type="primary", icon=":material/send:", width="stretch")
    if submitted:
        ask(page, run, changes=changes(columns, values), **limits)
        st.rerun()
    with st.container(horizontal=True, gap="small"):
        if parameters.get("changes"):
            st.button(
                "As it is in the table", icon=":material/undo:", on_click=ask, args=(page, run), kwargs={"changes": ()}
            )
        row = parameters.get("row")
        number = int(row) if isinstance(row, int) else 1
        st.button(
            "Next row",
            icon=":material/arrow_forward:",
            on_click=ask,
            args=(page, run),
            kwargs={"row": number + 1, "changes": ()},
        )


def _widget(run_id: int, one: Column) -> Scalar:
    key = f"value {run_id} {one.name}"
    label = plain(one.name)
    told = f"In the table: {words(one.value)}."
    if one.low is not None and one.high is not None:
        told += f" Others: {words(one.low)} to {words(one.high)}."
    if not one.may_change:
        told += " Changes of it are not proposed."
    if one.kind in {"number", "whole number"}:
        whole = one.kind == "whole number" and _is_whole(one.edited)
        value = None if not isinstance(one.edited, float | int) else int(one.edited) if whole else float(one.edited)
        step = 1 if whole else _step(one)
        return st.number_input(
            label,
            value=value,
            step=step,
            format="%d" if whole else "%g",
            placeholder=_NO_NUMBER,
            help=plain(told),
            key=key,
        )
    if one.kind in {"level", "yes or no"}:
        now = None if one.edited is None else str(one.edited)
        options = list(dict.fromkeys([*one.levels, *([now] if now is not None else [])]))
        return st.selectbox(
            label,
            options,
            index=options.index(now) if now is not None else None,
            accept_new_options=one.kind == "level",
            placeholder=_NO_NUMBER,
            help=plain(told),
            key=key,
        )
    return st.text_input(label, value="" if one.edited is None else str(one.edited), help=plain(told), key=key) or None


def _is_whole(value: Scalar) -> bool:
    return value is None or (isinstance(value, float | int) and float(value).is_integer())


def _step(one: Column) -> float:
    """Return about a hundredth of what others hold, rounded to one digit."""
    if not isinstance(one.low, float | int) or not isinstance(one.high, float | int) or not one.high > one.low:
        return 1.0
    return float(f"{(one.high - one.low) / 100:.0e}")


def _limits(run_id: int, result: AnalysisResult, columns: Sequence[Column]) -> dict[str, object]:
    parameters = result.parameters
    names = [one.name for one in columns]
    numbers = [one.name for one in columns if one.kind in {"number", "whole number", "time"}]

    def listed(name: str) -> list[str]:
        value = parameters.get(name)
        return [str(each) for each in value] if isinstance(value, list | tuple) else []

    limits: dict[str, object] = _wanted(run_id, result)
    for name, label, options in (
        ("immutable", "Keep as they are", names),
        ("only_increase", "Can only rise", numbers),
        ("only_decrease", "Can only fall", numbers),
    ):
        chosen = [each for each in listed(name) if each in options]
        limits[name] = st.multiselect(label, options, default=chosen, placeholder="none", key=f"{name} {run_id}")
    for name, label, example in (
        ("ranges", "Permitted values, one a line", "age = 18 to 70"),
        ("rules", "Rules between columns, one a line", "employed <= age - 16"),
    ):
        text = st.text_area(
            label, "\n".join(listed(name)), placeholder=example, height=72, max_chars=5000, key=f"{name} {run_id}"
        )
        limits[name] = [line.strip() for line in (text or "").splitlines() if line.strip()]
    st.caption("Sensitive columns keep their value. What is typed here holds for the search, not for your own edits.")
    return limits


def _wanted(run_id: int, result: AnalysisResult) -> dict[str, object]:
    """Ask for the outcome that changes are to lead to, where there is more than one other."""
    parameters = result.parameters
    if result.task == Task.REGRESSION:
        low, high = st.columns(2)
        found: dict[str, object] = {}
        for column, name, label in ((low, "wanted_from", "Wanted: at least"), (high, "wanted_to", "at most")):
            given = parameters.get(name)
            found[name] = column.number_input(
                label,
                value=float(given) if isinstance(given, float | int) else None,
                format="%g",
                placeholder="not set",
                key=f"{name} {run_id}",
            )
        return found
    if result.positive is not None:
        return {}
    given = parameters.get("wanted_class")
    every = {str(row[0]) for table in result.tables if table.name == "class_scores" for row in table.rows}
    tables = [one for one in result.tables if one.name in {"answer", "nearest"}]
    said = {str(row[2]) for table in tables for row in table.rows if row[2] is not None}
    known = sorted(every | said | {str(given or "")} - {""})
    wanted = st.selectbox(
        "Wanted class",
        known,
        index=known.index(str(given)) if given else None,
        accept_new_options=True,
        placeholder="any other",
        key=f"wanted {run_id}",
    )
    return {"wanted_class": wanted}


def changes(columns: Sequence[Column], values: Mapping[str, Scalar]) -> list[str]:
    """Return the edits that lead from the case in the table to what stands in the form.

    Examples
    --------
    >>> age = Column("age", "whole number", 40, 40, 18, 80, (), None, True, None)
    >>> changes([age], {"age": 40.0}), changes([age], {"age": 45}), changes([age], {"age": None})
    ([], ['age = 45'], ['age = missing'])
    """
    return [
        f"{one.name} = {_NO_NUMBER if values[one.name] is None else _typed(values[one.name])}"
        for one in columns
        if one.name in values and not is_same(one.value, values[one.name])
    ]


def _typed(value: Scalar) -> str:
    return repr(value) if isinstance(value, float) else str(value)


def is_same(one: Scalar, other: Scalar) -> bool:
    """Whether two values are the same, however a form writes them."""
    if one is None or other is None:
        return one is other
    if isinstance(one, float | int) and isinstance(other, float | int) and not isinstance(one, bool):
        return abs(float(one) - float(other)) <= 1e-12 * max(1.0, abs(float(one)))
    return str(one) == str(other)


def words(value: Scalar) -> str:
    """Return a value for people."""
    if value is None:
        return _NO_NUMBER
    return f"{value:.6g}" if isinstance(value, float) else str(value)
