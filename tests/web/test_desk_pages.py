"""Every page answers for every role, in both languages, with security headers, and shows only what concerns its visitor."""

from __future__ import annotations

import pytest
from world import World

PAGES = {
    "hana": ["/", "/requests", "/requests?all=1", "/requests/rq-1", "/titles", "/titles/moon", "/refusals", "/reports",
             "/security", "/checkpoint"],
    "ada": ["/", "/requests", "/voices", "/voices/v-ada", "/grants/g-ada", "/grants/g-ada/suspend",
            "/grants/g-ada/withdraw", "/refusals", "/reports", "/record.json"],
    "rev-a": ["/", "/deliveries", "/deliveries?all=1", "/deliveries/d-1", "/deliveries/d-1/lines",
              "/deliveries/d-1/timeline.json", "/deliveries/d-1/picture.svg?start=0&end=2", "/deliveries/d-1/sound/dub"],
    "polyglot": ["/", "/deliveries", "/deliveries/d-1", "/returned/d-1", "/returned/d-1/notes.csv",
                 "/returned/d-1/markers.txt", "/requests"],
    "op-1": ["/", "/accounts", "/security"],
}  # fmt: skip


@pytest.mark.parametrize("party", PAGES)
def test_every_page_answers_in_both_languages(world: World, party: str) -> None:
    visit = world.visit(party)
    for language in ("en", "ja"):
        assert visit.client.post("/language", data={"language": language, "next": "/"}).status_code == 303
        world.visit(party)
        for path in PAGES[party]:
            answer = visit.client.get(path)
            assert answer.status_code == 200, (path, answer.text[-1500:])
            if answer.headers["content-type"].startswith("text/html") and "/lines" not in path:
                assert f'<html lang="{language}">' in answer.text
