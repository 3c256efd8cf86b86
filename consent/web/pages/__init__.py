"""The desk's pages, one module for each part; every module has a `router`."""

from __future__ import annotations

from consent.web.pages import (
    accounts,
    approvals,
    checkpoint,
    deliveries,
    grants,
    home,
    listening,
    notes,
    refusals,
    reports,
    requests,
    security,
    sign_in,
    signing,
    taken,
    titles,
    voices,
)

ROUTERS = tuple(
    module.router
    for module in (
        home,
        sign_in,
        security,
        requests,
        signing,
        taken,
        approvals,
        titles,
        refusals,
        voices,
        grants,
        deliveries,
        listening,
        notes,
        reports,
        checkpoint,
        accounts,
    )
)
