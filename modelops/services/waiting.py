"""What waits for a person: signatures, findings, answers, and reviews of theirs that are not ready."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from modelops.domain.people import Actor, Right
from modelops.domain.review import EDITABLE, ReviewState
from modelops.services.signing import why_not
from modelops.services.standing import standing
from modelops.store import Reader
from modelops.store.queries_inventory import all_reviews
from modelops.store.queries_review import open_findings_of, unfinished_answers_of

MOST_REVIEWS = 20


@dataclass(frozen=True)
class Waiting:
    """One thing to do: what, on which review, on which of its pages, until when."""

    what: str
    about: str
    review_id: int
    page: str
    due: date | None = None


def waiting_for(reader: Reader, actor: Actor, *, at: datetime) -> list[Waiting]:
    """Return what waits for ``actor``, the most pressing first."""
    lines = all_reviews(reader)
    titles = {line.review.id: f"{line.model} {line.version}" for line in lines}
    found = []
    for line in lines[:MOST_REVIEWS]:
        title = titles[line.review.id]
        if line.review.state is ReviewState.SUBMITTED and Right.SIGN in actor.rights:
            if why_not(standing(reader, line.review, at=at), actor) is None:
                found.append(Waiting("Your signature is missing", title, line.review.id, "sign"))
        elif line.review.state is ReviewState.CHANGES_REQUESTED and Right.SUBMIT in actor.rights:
            found.append(Waiting("Changes were asked for", title, line.review.id, "review"))
        elif line.review.state in EDITABLE and line.review.opened_by == actor.user_id:
            blockers = len(standing(reader, line.review, at=at).blockers)
            what = f"{blockers} things block it" if blockers else "Nothing blocks it: submit it"
            found.append(Waiting(what, title, line.review.id, "review"))
    found += [
        Waiting(f"Finding: {row.title}", titles[row.review_id], row.review_id, "findings", row.due)
        for row in open_findings_of(reader, actor.user_id)
    ]
    for review_id, (count, due) in unfinished_answers_of(reader, actor.user_id).items():
        what = f"{count} answers are yours to finish" if count > 1 else "An answer is yours to finish"
        found.append(Waiting(what, titles[review_id], review_id, "checklist", due))
    return sorted(found, key=lambda item: (item.due or date.max, item.review_id))
