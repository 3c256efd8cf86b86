"""`dubgate request`: ask the parties for the decisions that a delivery lacks, list what was asked, and answer with a no."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dubgate.cli.judging import company_option
from dubgate.cli.registry_options import ID, open_registry, plain, registry_options, say

if TYPE_CHECKING:
    from consent.requests import Request, RequestHistory
    from dubgate.judging_again import Judged
    from dubgate.policy.findings import Finding
    from dubgate.requesting import Asking

EXAMPLES = """\b
Examples:
  dubgate request delivery.yaml --registry consent.db
  dubgate request --list --to kestrel --registry consent.db
  dubgate request --refuse rq-1f… --as kestrel --key holder.pem --reason "Not this film." --registry consent.db
  dubgate request --object un-9c… --as kestrel --key holder.pem --reason "Not this episode." --registry consent.db

\b
A yes is given with `dubgate approve`: every request prints the command. Then run `dubgate request` again: it judges
from what was measured, closes what was answered, and asks only for what is still missing.
Exit codes with a delivery: those of `dubgate check`. Without one: 0."""

ANSWERS = {"refuse": "refused", "defer": "deferred", "lift": "lifted", "take_back": "withdrawn"}


@click.command(epilog=EXAMPLES)
@click.argument("manifest", required=False, type=click.Path(path_type=Path))
@click.option("--list", "list_", is_flag=True, help="List requests instead of asking: those that wait for an answer.")
@click.option("--all", "all_", is_flag=True, help="With --list: closed ones too.")
@click.option("--to", type=ID, metavar="PARTY", help="With --list: those to one party.")
@click.option("--refuse", type=ID, metavar="REQUEST", help="Say no to a request; it blocks the release of this sound.")
@click.option("--defer", type=ID, metavar="REQUEST", help="Say that the answer comes later.")
@click.option("--lift", type=ID, metavar="REQUEST", help="Take your own no back.")
@click.option("--take-back", type=ID, metavar="REQUEST", help="Withdraw a request that you opened.")
@click.option("--object", "objects", type=ID, metavar="NOTICE", help="Object to a use of your standing approval.")
@click.option("--as", "by", type=ID, metavar="PARTY", help="Who answers: a party of the registry.")
@click.option("--key", type=click.Path(path_type=Path), help="Sign the answer with this key (dubgate keys new).")
@click.option("--reason", help="In your words; whoever asked will read them.")
@click.option("--pack", "packs", multiple=True, metavar="NAME|FILE", help="Rule pack; as for dubgate check.")
@click.option("--models", default="auto", show_default=True, help="Which speech models hear, where hearing is needed.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", help="Where they run.")
@company_option
@registry_options
def request(
    manifest: Path | None,
    list_: bool,
    all_: bool,
    to: str | None,
    refuse: str | None,
    defer: str | None,
    lift: str | None,
    take_back: str | None,
    objects: str | None,
    by: str | None,
    key: Path | None,
    reason: str | None,
    packs: tuple[str, ...],
    models: str,
    device: str,
    company: Path | None,
    location: str,
    key_file: Path | None,
    form: str,
) -> int:
    """Ask each party that the registry names for the decision that the delivery MANIFEST lacks, and print how to answer.

    Asks only where nothing else is wrong (`ready for approval`); nothing is asked twice.
    """
    said = {"refuse": refuse, "defer": defer, "lift": lift, "take_back": take_back}
    given = [(f"request:{target}", ANSWERS[name]) for name, target in said.items() if target is not None]
    given += [(f"use_notice:{objects}", "objected")] if objects is not None else []
    if len(given) + list_ > 1 or (not given and not list_ and manifest is None):
        raise click.UsageError("name a delivery, or one of --list, --refuse, --defer, --lift, --take-back, --object")
    if list_:
        return _list(location, key_file, form, to, all_=all_)
    private = _private(key)
    for target, kind in given:
        _answer(location, key_file, target, kind, by, reason, private, quiet=manifest is not None, form=form)
    if manifest is None:
        return 0
    return _ask(manifest, location, key_file, form, packs, models, device, company, None if given else private)


def _private(key: Path | None) -> Any:
    from dubgate.cli.keys import load

    return None if key is None else load(key)


def _list(location: str, key_file: Path | None, form: str, to: str | None, *, all_: bool) -> int:
    from consent.asking import all_requests, request_histories

    with open_registry(location, key_file, read_only=True) as registry, registry.view() as view:
        known = all_requests(view) if to is None else request_histories(view, f"party:{to}")
        mine = [h for h in known if to is None or h.request.to == to]
        shown = [h for h in mine if all_ or h.waiting(view.now)]
        data = {"requests": [_data(h, view.now) for h in shown]}
        text = "\n".join(line for h in shown for line in _told(h, view.now)) or "Nothing waits for an answer."
    say(form, data, text)
    return 0


def _data(history: RequestHistory, at: datetime) -> dict[str, Any]:
    return {"status": str(history.status(at)), **history.request.model_dump(mode="json", exclude_none=True)}


def _told(history: RequestHistory, at: datetime) -> Iterator[str]:
    r = history.request
    yield f"{r.request_id}  {history.status(at)}  to {r.to}, by {r.asked_by}, until {r.expires_at:%Y-%m-%d %H:%M}Z"
    yield from _questions(r)
    no = history.refusal(at)
    if no is not None:
        yield f"  refused: {plain(no.event.reason or 'without words')}"


def _questions(request: Request) -> Iterator[str]:
    about = request.release
    end = f"{about.window.end:%Y-%m-%d}" if about.window.end else "open"
    places = ", ".join(about.territories[:8]) + (" …" if len(about.territories) > 8 else "")
    yield f"  {about.title_ids[0]}, {about.language}, {', '.join(about.channels)}, in {places}"
    yield f"  from {about.window.start:%Y-%m-%d} until {end}; sound {about.packets_sha256}"
    yield from (f"  {w.what}  {plain(w.about)}: {plain(w.question)}" for w in request.wanted)


def _answer(
    location: str,
    key_file: Path | None,
    target: str,
    kind: str,
    by: str | None,
    reason: str | None,
    private: Any,
    *,
    quiet: bool,
    form: str,
) -> None:
    from consent.vocabulary import EventKind
    from dubgate.requesting import answer

    if by is None:
        raise click.UsageError("say who answers: --as PARTY")
    with open_registry(location, key_file) as registry, registry.write() as writer:
        event = answer(writer, target, EventKind(kind), by=by, reason=reason, key=private)
    if not quiet:
        say(form, {"event_id": event.event_id, "target": target, "kind": kind}, f"Recorded: {target} is {kind}.")


def _ask(
    manifest: Path,
    location: str,
    key_file: Path | None,
    form: str,
    packs: tuple[str, ...],
    models: str,
    device: str,
    company: Path | None,
    private: Any,
) -> int:
    from dubgate.cli.progress import progress_bar
    from dubgate.judging_again import judge_again
    from dubgate.release import CheckRequest
    from dubgate.requesting import ask
    from dubgate.whom_to_ask import release_to_decide

    at = datetime.now(UTC)
    with progress_bar(quiet=form == "json") as progress:
        judged = judge_again(CheckRequest(manifest, location, packs, models, device, company), at=at, progress=progress)
    findings = judged.judgement.verdict.findings
    with open_registry(location, key_file) as registry, registry.write() as writer:
        release = release_to_decide(judged.delivery, judged.judgement, writer, at)
        asking = ask(writer, release, findings, key=private)
    say(form, _asked_data(judged, asking), "\n".join(_asked(judged, asking, manifest, location)))
    return judged.judgement.verdict.decision.exit_code


def _asked_data(judged: Judged, asking: Asking) -> dict[str, Any]:
    def plainly(requests: Iterable[Request]) -> list[Any]:
        return [r.model_dump(mode="json", exclude_none=True) for r in requests]

    return {
        "decision": judged.judgement.verdict.decision.name.lower(),
        "heard_again": judged.heard_again,
        "opened": plainly(asking.opened),
        "waiting": [r.request_id for r in asking.waiting],
        "closed": [r.request_id for r in asking.closed],
        "refused": [r.request_id for r in asking.refused],
        "told": [n.model_dump(mode="json") for n in asking.told],
        "mend_first": [{"rule": f.rule, "text": f.text.en} for f in asking.mend],
        "nobody_to_ask": [{"rule": f.rule, "text": f.text.en, "remedy": f.remedy.en} for f in asking.nobody],
    }


def nobody_asked(findings: Iterable[Finding]) -> Iterator[str]:
    """What nobody can be asked about: once, with everybody whom it concerns, and what to do instead."""
    of: dict[tuple[str, str, str], list[str]] = {}
    for f in findings:
        of.setdefault((f.rule, f.text.en, f.remedy.en), []).append(f.subject.name)
    for (rule, text, remedy), named in of.items():
        who = ", ".join(dict.fromkeys(plain(name) for name in named if name))
        yield f"Nobody to ask: {rule}  {f'{who}: ' if who else ''}{plain(text)}"
        if remedy:
            yield f"    do: {plain(remedy)}"


def _asked(judged: Judged, asking: Asking, manifest: Path, location: str) -> Iterator[str]:
    from dubgate.requesting import commands

    how = "heard anew" if judged.heard_again else "judged from what was measured before"
    yield f"{judged.judgement.verdict.decision.name} ({how})"
    if asking.mend:
        yield "Not ready for approval; nobody was asked. To be mended first:"
        yield from (f"  {f.rule}  {plain(f.text.en)}" for f in asking.mend)
    for r in asking.opened:
        yield f"Asked {r.to} ({r.request_id}), until {r.expires_at:%Y-%m-%d %H:%M}Z:"
        yield from _questions(r)
        yield from (f"    {c}" for c in commands(r, shlex.quote(plain(manifest)), shlex.quote(plain(location))))
    yield from (f"Still waiting for {r.to} ({r.request_id})." for r in asking.waiting)
    yield from (f"Closed: {r.request_id} to {r.to}." for r in asking.closed)
    yield from (f"Refused by {r.to} ({r.request_id})." for r in asking.refused)
    for n in asking.told:
        yield f"Told {n.to} of this use of {n.approval_id} ({n.notice_id}); objections until {n.object_until.isoformat()}."
    yield from nobody_asked(asking.nobody)
