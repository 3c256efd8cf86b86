"""The catalogue of metrics holds what is measured, and nothing else: a rule on anything else would hold for ever."""

from __future__ import annotations

from dataclasses import replace

from made_delivery import SHEET, features

from dubgate.delivery.script import Style
from dubgate.gate import measure
from dubgate.measure.metrics import METRICS


def test_every_metric_of_the_catalogue_is_measured() -> None:
    english = features()
    japanese = replace(english, dub=replace(english.dub, language="ja"))  # errors in characters, not in words
    heard = ((english, SHEET), (japanese, replace(SHEET, language="ja")))
    assert {m.metric for f, sheet in heard for m in measure(f, sheet, Style.LIPSYNC)} == set(METRICS)
