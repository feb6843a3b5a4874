"""Every table. Rows are plain: rules live in the domain, and again in the database's constraints and triggers."""

from modelops.store.tables.audit import AuditRow, CheckpointRow
from modelops.store.tables.cases import CaseReadingRow, CaseSettlementRow
from modelops.store.tables.contracts import ContractRow
from modelops.store.tables.governance import CriteriaDraftRow, CriteriaRow, DecisionRow
from modelops.store.tables.inventory import BlobRow, DatasetRow, ModelRow, VersionRow
from modelops.store.tables.people import FactRow, SessionRow, ThrottleRow, TokenRow, UserRoleRow, UserRow
from modelops.store.tables.reviews import (
    AnswerRow,
    AttestationRow,
    CommentRow,
    EvidenceRow,
    FindingRow,
    PolicyRow,
    ReviewDatasetRow,
    ReviewRow,
    SignOffRow,
    TemplateRow,
    WaiverRow,
)
from modelops.store.tables.runs import TERMINAL, RunRow, RunState

__all__ = [
    "TERMINAL",
    "AnswerRow",
    "AttestationRow",
    "AuditRow",
    "BlobRow",
    "CaseReadingRow",
    "CaseSettlementRow",
    "CheckpointRow",
    "CommentRow",
    "ContractRow",
    "CriteriaDraftRow",
    "CriteriaRow",
    "DatasetRow",
    "DecisionRow",
    "EvidenceRow",
    "FactRow",
    "FindingRow",
    "ModelRow",
    "PolicyRow",
    "ReviewDatasetRow",
    "ReviewRow",
    "RunRow",
    "RunState",
    "SessionRow",
    "SignOffRow",
    "TemplateRow",
    "ThrottleRow",
    "TokenRow",
    "UserRoleRow",
    "UserRow",
    "VersionRow",
    "WaiverRow",
]
