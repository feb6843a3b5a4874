"""What the audit trail's names of acts mean to people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

ACTS: Final = {
    "answer:change": "changed an answer",
    "answer:keep": "kept an earlier answer",
    "audit:export": "exported entries",
    "case:attach": "attached the readings of cases",
    "case:read": "read a case of run",
    "case:settle": "settled a difference between readers of run",
    "comment:add": "commented on",
    "contract:accept": "accepted checks of the data contract",
    "contract:add": "added a check to the data contract",
    "contract:begin": "began the data contract",
    "contract:change": "changed a check of the data contract",
    "contract:learn": "took learned checks into the data contract",
    "contract:publish": "published the data contract",
    "contract:remove": "removed a check of the data contract",
    "criteria:freeze": "froze the acceptance criteria of version",
    "criteria:write": "wrote the acceptance criteria of version",
    "dataset:add": "added dataset",
    "dataset:archive": "archived dataset",
    "dataset:columns": "changed the columns of dataset",
    "dataset:confirm": "confirmed the guessed columns of dataset",
    "dataset:restore": "restored dataset",
    "decision:drift_limits": "decided on drift limits with run",
    "decision:threshold": "decided on a threshold with run",
    "evidence:add": "attached evidence",
    "evidence:remove": "removed evidence",
    "finding:move": "moved a finding on",
    "finding:raise": "raised a finding",
    "gate:ask": "asked the gate about",
    "key:create": "made the signing key",
    "key:rotate": "changed the signing key",
    "login": "logged in",
    "login:confirmed": "confirmed who they are",
    "login:failed": "failed to log in",
    "login:throttled": "was slowed down at logging in",
    "logout": "logged out",
    "logout:others": "ended other sessions",
    "model:change": "changed the facts",
    "model:register": "registered the model",
    "policy:publish": "published the policy",
    "refused": "was refused",
    "review:approved": "approved review",
    "review:changes_requested": "asked for changes in review",
    "review:dataset": "added a dataset to review",
    "review:expired": "marked as expired review",
    "review:export": "exported the record of review",
    "review:open": "opened review",
    "review:rejected": "rejected review",
    "review:revoked": "took back the approval of review",
    "review:seal": "sealed review",
    "review:sign_off": "signed review",
    "review:submit": "submitted review",
    "review:superseded": "marked as superseded review",
    "review:withdrawn": "withdrew review",
    "run:again": "asked to compute again, as run",
    "run:cancel": "cancelled run",
    "run:fail": "could not finish run",
    "run:finish": "finished run",
    "run:request": "asked for analysis run",
    "run:stopped": "stopped run",
    "store:backup": "backed up",
    "template:publish": "published the checklist",
    "token:create": "made an API token",
    "token:revoke": "revoked an API token",
    "user:add": "added the account of",
    "user:change_password": "changed their password",
    "user:disable": "disabled the account of",
    "user:enable": "enabled the account of",
    "user:rename": "changed the printed name of",
    "user:reset_password": "reset the password of",
    "user:roles": "changed the roles of",
    "user:setup": "set up the first account",
    "version:dependencies": "added the dependency lock of version",
    "version:register": "added version",
    "waiver:accept": "accepted a waiver",
    "waiver:refuse": "refused a waiver",
    "waiver:request": "asked for a waiver",
}
KINDS: Final = {
    "answer": "Answers",
    "audit": "Audit trail",
    "case": "Reading cases",
    "comment": "Comments",
    "contract": "Data contracts",
    "criteria": "Acceptance criteria",
    "dataset": "Datasets",
    "decision": "Decisions",
    "evidence": "Evidence",
    "finding": "Findings",
    "gate": "Gate",
    "key": "Signing key",
    "login": "Logging in",
    "logout": "Logging out",
    "model": "Models",
    "policy": "Policies",
    "refused": "Refusals",
    "review": "Reviews",
    "run": "Analysis runs",
    "store": "Backup",
    "template": "Checklists",
    "token": "API tokens",
    "user": "Accounts",
    "version": "Versions",
    "waiver": "Waivers",
}


def act_words(action: str) -> str:
    """Return what was done; what is about to be named follows.

    Examples
    --------
    >>> act_words("review:seal"), act_words("thing:put_away")
    ('sealed review', 'thing put away')
    """
    return ACTS.get(action, action.replace(":", " ").replace("_", " "))


def kind_words(kind: str) -> str:
    """Return what a kind of acts is about: what stands before the colon of an action."""
    return KINDS.get(kind, kind.replace("_", " ").capitalize())


def act_choices(known: Iterable[str]) -> list[str]:
    """Return what may be asked for: each kind of the known acts, which ends in a colon, with its acts after it.

    Examples
    --------
    >>> act_choices(["review:seal", "refused", "login", "login:failed"])
    ['login:', 'login', 'login:failed', 'refused', 'review:', 'review:seal']
    """
    kinds: dict[str, list[str]] = {}
    for action in sorted(known):
        kinds.setdefault(action.partition(":")[0], []).append(action)
    choices: list[str] = []
    for kind in sorted(kinds, key=kind_words):
        choices += [f"{kind}:", *kinds[kind]] if kinds[kind] != [kind] else [kind]
    return choices


def choice_words(choice: str) -> str:
    """Return what a choice of `act_choices` is called.

    Examples
    --------
    >>> choice_words("review:"), choice_words("review:seal")
    ('Reviews: everything', 'Reviews: sealed review')
    """
    kind = kind_words(choice.partition(":")[0])
    return f"{kind}: everything" if choice.endswith(":") else f"{kind}: {act_words(choice)}"
