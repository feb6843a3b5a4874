"""Does a table keep what is assumed of it: a data contract, learned from good rows or written by people.

A contract is part of what is asked: its whole text is a parameter, so that the result can be computed again. Without
one, checks are learned from the reference table; the result holds them in a form that can be taken over.
"""

from __future__ import annotations

from pydantic import Field, field_validator

from modelops.analyses.base import Analysis, Computed, EvaluationData, Need, Parameters, Run
from modelops.domain.columns import Task
from modelops.domain.contract import LONGEST_CONTRACT, load_contract
from modelops.domain.inventory import DatasetRole
from modelops.errors import InvalidInput

DEFINITIONS = "definitions"
"""The table of a result that holds its checks in the form in which a contract takes them over."""


class DataContractParameters(Parameters):
    """Which contract, or how one is learned."""

    contract: str = Field(
        default="",
        max_length=LONGEST_CONTRACT,
        description="The contract as JSON; empty: checks are learned from the reference table.",
    )
    range_tolerance: float = Field(
        default=0.1,
        ge=0,
        le=10,
        description="How far beyond the smallest and largest value seen a value may lie, as a share of their distance.",
    )
    most_levels: int = Field(
        default=50, ge=1, le=1_000, description="The most levels that are learned as a list of allowed values."
    )
    comparisons: int = Field(
        default=20, ge=0, le=500, description="The most rules learned of the kind: one column is never above another."
    )
    held_out_share: float = Field(
        default=0.5,
        gt=0,
        lt=1,
        description=(
            "Share of the reference rows that a rehearsal learns nothing from: false alarms are counted on them."
        ),
    )
    batch_rows: int = Field(
        default=200,
        ge=1,
        le=1_000_000,
        description=(
            "Rows of a batch, for which bounds on shares are made and false alarms counted; fewer where the held-out"
            " rows do not fill ten."
        ),
    )
    rows: int = Field(
        default=100_000, ge=100, le=10_000_000, description="Reference rows that are used at most; drawn at random."
    )

    @field_validator("contract")
    @classmethod
    def _is_a_contract(cls, text: str) -> str:
        if text.strip():
            try:
                load_contract(text)
            except InvalidInput as error:
                raise ValueError(str(error)) from error
        return text.strip()


def data_contract(data: EvaluationData, parameters: DataContractParameters, run: Run) -> Computed:
    """Hold a contract against ``data.data``.

    For each check the share of the rows that break it, of those that it can judge, with Wilson's interval, and how
    much that is more than it tolerates. Checks that were learned here hold on the whole reference; they come with the
    rate of false alarms of a rehearsal, which learns from one part of the reference and counts on the other. Those of
    a given contract come with the rate that it records, or else the one on the reference table.

    Raises
    ------
    NotMeasured
        If there is neither a contract nor a reference table, or the reference has too few rows to learn from.
    """
    from modelops.analyses.data_contract.run import Holding

    return Holding(data, parameters, run).computed()


DATA_CONTRACT = Analysis(
    key="data_contract",
    title="Data contract",
    question="Does this table keep what is assumed of the data, check by check?",
    serves=("preprocessing.checks", "preprocessing.assumptions"),
    needs=frozenset(),
    # A given contract needs no reference; without one it is what the checks are learned from.
    uses=frozenset({Need.REFERENCE, Need.TIME}),
    tasks=frozenset(Task),
    parameters=DataContractParameters,
    source=(
        "E. B. Wilson 1927 (interval of a share); I. J. Good 1953 (share of values not seen yet); S. S. Wilks 1941"
        " (share of new values beyond those seen); S. Schelter et al. 2018 (unit tests for data); E. Breck et al. 2019"
        " (data validation for machine learning)"
    ),
    looks_at=(DatasetRole.PRODUCTION, DatasetRole.TEST, DatasetRole.TRAIN, DatasetRole.REFERENCE),
    compares_with=(DatasetRole.REFERENCE, DatasetRole.TRAIN),
    compute=data_contract,
)
