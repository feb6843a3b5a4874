"""Every route of the API. A new room of it is one module with ``ROUTES`` and one line here."""

from __future__ import annotations

from modelops.api import v1_criteria, v1_gate, v1_inventory, v1_reviews, v1_runs, v1_session
from modelops.api.endpoint import ApiRoute

ROUTES: tuple[ApiRoute, ...] = (
    *v1_session.ROUTES,
    *v1_inventory.ROUTES,
    *v1_reviews.ROUTES,
    *v1_criteria.ROUTES,
    *v1_runs.ROUTES,
    *v1_gate.ROUTES,
)
