"""Does the data stand for the people or things that the model is meant for: group by group, with what is missing.

The population is a table (a census, a customer base; with weights if it is a list of strata), or shares that are stated
as parameters, or both for different columns.
"""

from __future__ import annotations

from pydantic import Field

from modelops.analyses.base import Analysis, Computed, EvaluationData, Need, Parameters, Run
from modelops.domain.columns import Task
from modelops.domain.inventory import DatasetRole


class RepresentativenessParameters(Parameters):
    """What the population is made of, which columns count, and how well groups should be known."""

    shares: tuple[str, ...] = Field(
        default=(),
        max_length=2_000,
        description="What the population is made of where there is no table of it, as 'column: level = 0.4'.",
    )
    columns: tuple[str, ...] = Field(
        default=(),
        max_length=1_000,
        description="Columns that are compared; empty: sensitive columns and features.",
        json_schema_extra={"choose": "column"},
    )
    intersections: bool = Field(
        default=True, description="Whether groups by two sensitive columns together are compared too."
    )
    alpha: float = Field(
        default=0.05, gt=0, lt=0.5, description="False alarms accepted among the groups that are reported as different."
    )
    margin: float = Field(
        default=0.05, ge=0, le=1, description="Least difference of a group's share from which a real one matters."
    )
    precision: float = Field(
        default=0.1,
        gt=0,
        lt=0.5,
        description="How well a rate should be known in every group: half the width of its 95 % interval, at worst.",
    )
    bins: int = Field(
        default=5, ge=2, le=20, description="Ranges into which numbers are cut, about equal in the population."
    )
    most_levels: int = Field(
        default=30, ge=2, le=200, description="Levels of a text column that are groups of their own; the rest is one."
    )


def representativeness(data: EvaluationData, parameters: RepresentativenessParameters, run: Run) -> Computed:
    """Compare the groups of ``data.data`` with the population: ``data.reference``, or stated shares.

    Shares are weighted where the tables have weights, and count as many rows as those are worth. The difference of a
    group's share has Newcombe's interval against a table, Wilson's against a stated share; p-values are adjusted over
    all groups by Benjamini and Hochberg, and over the columns for the test of each column as a whole.

    Raises
    ------
    NotMeasured
        If the table has no rows, or no column to compare.
    InvalidInput
        If ``shares`` cannot be read, add up to more than 1, or name a column that the data does not have.
    """
    from modelops.analyses.representativeness.run import Comparing

    return Comparing(data, parameters, run).computed()


REPRESENTATIVENESS = Analysis(
    key="representativeness",
    title="Representativeness",
    question="Does the data stand for the population that the model is meant for, and are its groups large enough?",
    serves=("data.representative", "data.size", "data.minorities"),
    needs=frozenset(),
    # Without a population the sizes of the groups are still measured.
    uses=frozenset({Need.REFERENCE, Need.SENSITIVE, Need.FEATURES}),
    tasks=frozenset(Task),
    parameters=RepresentativenessParameters,
    source=(
        "R. G. Newcombe 1998 and E. B. Wilson 1927 (intervals); W. G. Cochran 1954 (chi-squared); L. Kish 1965"
        " (weights); J. N. K. Rao and A. J. Scott 1984 (weights in tests); Y. Benjamini and Y. Hochberg 1995 (many"
        " groups)"
    ),
    looks_at=(DatasetRole.TRAIN, DatasetRole.TEST, DatasetRole.REFERENCE, DatasetRole.PRODUCTION),
    compares_with=(DatasetRole.POPULATION, DatasetRole.REFERENCE),
    compute=representativeness,
)
