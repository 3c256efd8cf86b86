"""`dubgate desk --demo`: the review desk over the samples, with everybody in it, and a sign-in link for each role.

Deliveries are judged behind the running desk, as they would be by a gate; whom each one lacks is then asked.
"""

from __future__ import annotations

import fcntl
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from consent.errors import ConsentError
from consent.parties import Party, Personal
from consent.registry import Registry
from consent.seed import import_seed
from consent.vocabulary import Role
from consent.web import accounts
from consent.web.accounts import invite, send_link
from consent.web.app import create_desk
from consent.web.protocols import CannotAnswerError
from consent.web.settings import DeskSettings
from consent.web.watching import watch
from consent.writing import Addition
from dubgate.errors import DubgateError, InputError
from dubgate.samples import find_samples, materialise

if TYPE_CHECKING:
    from fastapi import FastAPI

    from dubgate.service.desk_judge import DeskDeliveries

CASES = ("late", "unconfirmed-voice", "no-permission-to-compare", "no-approval")
LABEL = "English [AI]"
PEOPLE = (
    ("supervisor", (Role.LOCALIZATION_SUPERVISOR, Role.REVIEWER), "kestrel", "Sample Localization Supervisor"),
    ("creative", (Role.CREATIVE_LEAD, Role.REVIEWER), "kestrel", "Sample Creative Lead"),
    ("counsel", (Role.LEGAL, Role.RIGHTS_HOLDER), "kestrel", "Sample Counsel"),
)
# Who gets a link, as whom.
WHO = (
    ("rights holder", "kestrel"),
    ("performer", "p-mara"),
    ("performer of a voice that was heard", "p-otto"),
    ("reviewer (localization)", "supervisor"),
    ("reviewer (creative)", "creative"),
    ("reviewer of the vendor", "reviewer-a"),
    ("vendor", "polyglot"),
    ("operator", "op-1"),
    ("second operator", "op-2"),
)
_MANIFEST = "schema: delivery/1.0\nextends: series.yaml\n"


@dataclass(frozen=True, slots=True)
class Demo:
    """The running parts of a demonstration: the application, a link for each role, and what judges behind it."""

    app: FastAPI
    links: tuple[tuple[str, str], ...]
    behind: threading.Thread
    lock: IO[str]

    def fresh_links(self) -> tuple[tuple[str, str], ...]:
        """Another link for each role, since one works once: for whoever left before there was a passkey."""
        desk = self.app.state.desk
        return tuple((role, send_link(desk, accounts.of_party(desk, party)[0], "invite")) for role, party in WHO)

    def close(self) -> None:
        """Let go of the databases."""
        desk = self.app.state.desk
        desk.tables.close()
        desk.registry.close()
        self.lock.close()


def demo_desk(
    out: Path,
    *,
    origin: str,
    samples: Path | None = None,
    hears: bool = True,
    say: Callable[[str], None] = lambda line: None,
) -> Demo:
    """A desk over a fresh registry below `out`, with the samples' parties, voices, titles and deliveries.

    Args:
        origin: where browsers reach it; passkeys want `http://localhost:PORT` or https.
        hears: whether deliveries are judged, which needs dubgate[audio]; without, there are none.
        say: is told what is going on behind the desk.

    Raises:
        InputError: dubgate was installed without its samples, or another demonstration runs in `out`.
        ConsentError: the registry or the desk's tables cannot be made.
    """
    root = find_samples(samples)
    out.mkdir(parents=True, exist_ok=True)
    lock = _alone(out)
    for name in ("registry.db", "desk.db"):
        for old in out.glob(f"{name}*"):
            old.unlink()
    for old in (out / "outbox").glob("*.eml"):
        old.unlink()  # messages of another registry, whose checkpoints would agree with nothing here
    location = _registry(root, out, hears)
    manifests = _deliveries(root, out / "deliveries") if hears else {}
    deliveries = _judge(manifests, location) if hears else None
    registry = Registry.open(location)
    settings = DeskSettings(
        origin=origin, tables=str(out / "desk.db"), outbox=out / "outbox", recovery_delay=timedelta(minutes=2)
    )
    app = create_desk(registry, settings, judge=deliveries, listening=deliveries)
    links = tuple((role, invite(app.state.desk, party, f"{party}@example.com")) for role, party in WHO)
    behind = threading.Thread(target=_behind, args=(app.state.desk, deliveries, manifests, location, say), daemon=True)
    return Demo(app, links, behind, lock)


def _alone(out: Path) -> IO[str]:
    """The lock of a folder: a second demonstration would empty the registry under the first.

    Raises:
        InputError: another one runs there.
    """
    lock = (out / "running.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        remedy = "End it, or name another folder and port: dubgate desk --demo --out FOLDER --port N."
        raise InputError("another demonstration runs in this folder", where=str(out), remedy=remedy) from None
    return lock


def _registry(samples: Path, out: Path, hears: bool) -> str:
    if hears:
        from dubgate.sample_registry import make_registry

        path = make_registry(samples, out).path
    else:
        path = out / "registry.db"
        with Registry.open(path, create=True) as registry:
            import_seed(registry, samples / "seed.yaml")
    with Registry.open(path) as registry:
        for number, roles, house, name in PEOPLE:
            party = Party(party_id=number, roles=roles, person=True, organisation_id=house)
            registry.add(Addition(party, personal=Personal(name=name)))
    return str(path)


def _deliveries(samples: Path, out: Path) -> dict[str, Path]:
    """The samples as deliveries, the last one first; one that only measures quality is handed in like the others."""
    found: dict[str, Path] = {}
    for case in CASES:
        target = materialise(samples / case, out)
        _made_its_own(target / "dub.flac", len(found))
        if not (target / "delivery.yaml").is_file():
            (target / "delivery.yaml").write_text(_MANIFEST, encoding="utf-8")
            shutil.copyfile(samples / "series.yaml", target / "series.yaml")
        found[f"d-{case}"] = target / "delivery.yaml"
    return dict(reversed(found.items()))


def _made_its_own(path: Path, number: int) -> None:
    """Each delivery has sound of its own, so that what is asked about one is not asked about another; all are labelled."""
    import soundfile

    from dubgate.sample_containers import write_flac

    samples, _ = soundfile.read(path, dtype="float32")
    write_flac(path, samples * (1.0 - 0.004 * number), title=LABEL)


def _judge(manifests: dict[str, Path], location: str) -> DeskDeliveries:
    from dubgate.service.desk_judge import DeskDeliveries

    return DeskDeliveries(lambda: manifests, location, models="embedded", device="cpu")


def _behind(desk: Any, deliveries: Any, manifests: dict[str, Path], location: str, say: Callable[[str], None]) -> None:
    """Judge every delivery, ask whom it lacks, and tell them."""
    for delivery_id in reversed(list(manifests)):
        try:
            decision = deliveries.judge(delivery_id).decision
            n = ask_for(deliveries, delivery_id, desk.registry)
            say(f"{delivery_id}: {decision}; asked for a decision: {n or 'nobody, it takes mending'}")
        except (DubgateError, ConsentError, CannotAnswerError) as error:
            say(f"{delivery_id}: {error}")
        watch(desk)
    watch(desk)


def ask_for(deliveries: DeskDeliveries, delivery_id: str, registry: Registry) -> int:
    """Open the requests for what a judged delivery lacks; how many parties were asked.

    Raises:
        DubgateError: the delivery does not say what people would decide on.
    """
    from dubgate.requesting import ask
    from dubgate.whom_to_ask import release_to_decide

    kept = deliveries.kept_judgement(delivery_id)
    if kept is None:
        return 0
    with registry.write() as writer:
        release = release_to_decide(kept[0], kept[1], writer, writer.now)
        return len(ask(writer, release, kept[1].verdict.findings).opened)
