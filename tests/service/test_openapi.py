"""schemathesis over the API's own description: every answer is one that the description allows, and none is a 500."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from made_service import Api, House
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

EXAMPLES = int(os.environ.get("API_EXAMPLES", "8"))
# What no schema can say: that files are a delivery, that an address is one to which the service sends.
BEYOND_A_SCHEMA = ("/v1/uploads", "/v1/webhooks")
COUNT: dict[str, int] = {}


@pytest.fixture(scope="module")
def api(released_house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One service for all of it, without rates."""
    house = released_house.copied(tmp_path_factory.mktemp("openapi") / "house")
    limits = house.settings.limits.model_copy(update={"writes_per_minute": 10**6, "unknown_per_minute": 10**6})
    logging.getLogger("dubgate.service").setLevel(logging.ERROR)
    with house.api(limits=limits) as opened:
        yield opened
    print({k: COUNT[k] for k in sorted(COUNT)}, "requests in all:", sum(COUNT.values()))


def _headers(api: Api, case: Any) -> dict[str, str]:
    """A token with the scope that the operation needs."""
    if case.path.endswith("/answers"):
        return api.as_("kestrel", "approve")
    if case.path == "/metrics":
        return api.as_("op-2", "admin")
    return api.vendor


def test_every_answer_is_as_described(api: Api) -> None:
    """Each operation, with values that its description allows and with ones that it does not."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", api.client.app)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) == 24
    for operation in operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _try(api, operation, mode)


def _try(api: Api, operation: Any, mode: Any) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True
    )
    def tried(case: Any) -> None:
        answer = case.call(headers=_headers(api, case))
        COUNT[f"{case.method} {operation.path}"] = COUNT.get(f"{case.method} {operation.path}", 0) + 1
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400:
            assert answer.headers["content-type"][0].startswith("application/problem+json"), answer.headers
        left_out = [positive_data_acceptance] if operation.path in BEYOND_A_SCHEMA else []
        case.validate_response(answer, headers=_headers(api, case), excluded_checks=left_out)

    try:
        tried()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "an operation without any parameter cannot be asked wrongly"


def test_the_description_has_examples_and_a_summary_for_everything(api: Api) -> None:
    described = api.client.get("/openapi.json").json()
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), (method, path)
    assert described["components"]["schemas"]["ByPath"]["properties"]["path"]["examples"]
    assert "HTTPValidationError" not in described["components"]["schemas"]
