"""Says of two runs in what they were not judged by the same bar: acceptance criteria and policy."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from modelops.domain.criteria import Criterion
from modelops.store import Store
from modelops.store.queries_criteria import frozen_by_digest
from modelops.store.tables import PolicyRow, RunRow
from modelops.ui.text import plain


def show_different_bars(one: RunRow, other: RunRow, labels: tuple[str, str], store: Store) -> None:
    """Warn that two runs of the same analysis were judged by different criteria or policies, where they were."""
    if differently := different_bars(one, other, labels, store):
        st.warning(plain(differently), icon=":material/balance:")


def different_bars(one: RunRow, other: RunRow, labels: tuple[str, str], store: Store) -> str:
    """Say in what two runs of the same analysis were not judged alike; nothing where they were.

    What nothing was demanded of has no verdict to fear: beside something that did not reach its bar it looks better,
    whatever its numbers say.
    """
    with store.reading() as reader:
        frozen = [frozen_by_digest(reader, run.criteria) for run in (one, other)]
        policies = [reader.get(PolicyRow, run.policy, what="policy") for run in (one, other)]
    judged = [kept.body.for_analysis(one.analysis).criteria if kept else () for kept in frozen]
    return " ".join(filter(None, (_criteria_words(judged[0], judged[1], labels), _policy_words(policies, labels))))


def _criteria_words(one: Sequence[Criterion], other: Sequence[Criterion], labels: tuple[str, str]) -> str:
    demands = [[each.words for each in side] for side in (one, other)]
    if sorted(demands[0]) == sorted(demands[1]):
        return ""
    parts = []
    for label, mine, others in zip(labels, demands, demands[::-1], strict=True):
        own = [words for words in mine if words not in others]
        parts.append(f"{label} by {'; '.join(own) if own else 'none' if not mine else 'none beside those of both'}")
    return f"Judged by different criteria: {'. '.join(parts)}. So the verdicts tell nothing of which is better."


def _policy_words(policies: Sequence[PolicyRow], labels: tuple[str, str]) -> str:
    if policies[0].digest == policies[1].digest:
        return ""
    parts = [f"{label} by {row.name} {row.version}" for label, row in zip(labels, policies, strict=True)]
    return f"Judged by different versions of the policy: {', '.join(parts)}."
