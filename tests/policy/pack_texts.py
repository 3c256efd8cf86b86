"""A small pack as text, whole and broken on purpose."""

from __future__ import annotations

from dubgate.policy.packs import Pack, read_pack

HEAD = """schema: pack/1.0
pack: house
version: "2026.11"
as_of: "2026-11-20"
group: quality
about: "A pack for tests."
"""
SAID = """    source: "a test"
    why: "because"
    remedy: "mend it"
    asks: {en: "The start", ja: "開始"}
    text: {en: "{line} is {size} off.", ja: "{line}は{size}ずれています。"}
"""
PLAIN_SAID = SAID.replace("{line} is {size} off.", "It is not so.").replace(
    "{line}は{size}ずれています。", "違います。"
)


def band(extra: str = "", *, rule_id: str = "HOU-ONE", tests: str = "") -> str:
    """A band rule on onset errors; `extra` holds its own keys."""
    keys = extra or "    require: {at_most: 0.5 s}\n    prefer: {at_most: 0.3 s}\n    severity: hold\n"
    metric = "" if keys.startswith("    metric:") else "    metric: onset_error_s\n"
    cases = tests or "      - {values: [0.1], outcome: pass}\n      - {values: [0.4], outcome: warn}\n"
    return f"  - id: {rule_id}\n{metric}{keys}{SAID}    tests:\n{cases}"


def condition(require: str, applies: str = "", severity: str = "block", rule_id: str = "HOU-ASKS") -> str:
    """A condition rule."""
    first = f"    applies: '{applies}'\n" if applies else ""
    cases = "      - {facts: {}, outcome: pass}\n      - {facts: {}, outcome: block}\n"
    return (
        f"  - id: {rule_id}\n{first}    require: '{require}'\n    severity: {severity}\n{PLAIN_SAID}    tests:\n{cases}"
    )


def text(*rules: str, head: str = HEAD) -> bytes:
    """The bytes of a pack."""
    return (head + "rules:\n" + "".join(rules)).encode()


def pack(*rules: str, head: str = HEAD) -> Pack:
    """A loaded pack."""
    return read_pack(text(*rules, head=head), "house.yaml")
