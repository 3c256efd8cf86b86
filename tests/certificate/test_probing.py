"""`dubgate probe`: what is live against its certificates; and a fetch that goes nowhere it may not."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from made_certificate import AT, LATER, Place, make_place, with_gate

from consent.notices import Outbox
from dubgate.certificate.package import DUB, MANIFEST, OTHER, PackageCertificate, PackageClaim, PackageFile
from dubgate.cli.main import run
from dubgate.errors import InputError
from dubgate.fetching import Bounds, Fetcher
from dubgate.labels.tracks import Labels
from dubgate.probing import Alert, Known, Probed, event_id_of, known_from, notice_of, probe

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "labels"))

from label_files import LABEL, adts, run_here

MASTER = f"""#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="{LABEL}",LANGUAGE="en",CHARACTERISTICS="public.machine-generated",URI="en/index.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=100000,CODECS="mp4a.40.2",AUDIO="a"
video.m3u8
"""
MPD = f"""<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT8S">
<Period><AdaptationSet contentType="audio" lang="en"><Label>{LABEL}</Label><Representation id="en" bandwidth="1">
<BaseURL>en/</BaseURL><SegmentList duration="4"><SegmentURL media="s0.aac"/><SegmentURL media="s1.aac"/></SegmentList>
</Representation></AdaptationSet></Period></MPD>"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(autouse=True)
def _in_this_process() -> Iterator[None]:
    with patch("dubgate.sandbox.run_in_child", run_here):
        yield


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = make_place(tmp_path_factory.mktemp("place"))
    made.file.write_bytes(adts("one" * 9) + adts("two" * 9))
    return replace(made, right=made.world.judged(at=AT))


@pytest.fixture(scope="module")
def certificate(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return place.certified(tmp_path_factory.mktemp("verdict")).certificate


@pytest.fixture
def known(place: Place, certificate: Path) -> Known:
    return known_from([certificate], place.trust, LATER, None)


@pytest.fixture
def live(place: Place, tmp_path: Path) -> Path:
    """The certified master, cut into two segments, as a package that lies on a server."""
    folder = tmp_path / "live"
    (folder / "en").mkdir(parents=True)
    data = place.file.read_bytes()
    (folder / "en" / "s0.aac").write_bytes(data[: len(data) // 2])
    (folder / "en" / "s1.aac").write_bytes(data[len(data) // 2 :])
    (folder / "en" / "index.m3u8").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\ns0.aac\n#EXTINF:4,\ns1.aac\n#EXT-X-ENDLIST\n"
    )
    (folder / "master.m3u8").write_text(MASTER)
    (folder / "manifest.mpd").write_text(MPD)
    return folder


@pytest.fixture
def server(live: Path) -> Iterator[str]:
    handler = lambda *a: Quiet(*a, directory=str(live))  # noqa: E731
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()


def fetcher(**changes: Any) -> Fetcher:
    return Fetcher(frozenset({"127.0.0.1"}), True, Bounds(**changes))


def looked(server: str, known: Known, tmp_path: Path, name: str = "master.m3u8", **bounds: Any) -> Probed:
    folder = tmp_path / f"look-{len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    return probe(
        f"{server}/{name}", folder, fetcher(**bounds), known, language="en", at=LATER, progress=lambda *_: None
    )


@pytest.mark.parametrize("name", ["master.m3u8", "manifest.mpd"])
def test_a_certified_master_in_segments_is_as_certified(server: str, known: Known, tmp_path: Path, name: str) -> None:
    probed = looked(server, known, tmp_path, name)
    assert probed.alerts == ()
    assert probed.n_files == (4 if name == "master.m3u8" else 3)


def spoilt(live: Path, old: str, new: str, file: str = "master.m3u8") -> None:
    path = live / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_stripped_label_raises_an_alert(server: str, live: Path, known: Known, tmp_path: Path) -> None:
    spoilt(live, LABEL, "English")
    [alert] = [a for a in looked(server, known, tmp_path).alerts if a.where == "LAB-001"]
    assert (alert.kind, "does not tell that AI" in alert.what) == ("label", True)


@pytest.mark.parametrize("name", ["master.m3u8", "manifest.mpd"])
def test_other_bytes_raise_an_alert(server: str, live: Path, known: Known, tmp_path: Path, name: str) -> None:
    (live / "en" / "s1.aac").write_bytes(adts("another sound"))
    probed = looked(server, known, tmp_path, name)
    assert any(a.kind == "bytes" and "s1.aac" in a.where for a in probed.alerts)
    assert any("no rendition" in a.what for a in probed.alerts)


def test_a_hole_raises_an_alert(server: str, live: Path, known: Known, tmp_path: Path) -> None:
    (live / "en" / "s1.aac").unlink()
    kinds = {a.kind for a in looked(server, known, tmp_path).alerts}
    assert {"missing", "label", "bytes"} <= kinds


@pytest.mark.parametrize(
    "uri", ["../x.aac", "/etc/hostname", "https://elsewhere.example/s0.aac", "%2e%2e/%2e%2e/x", "s0.aac?x=1", "c:x"]
)
def test_a_name_that_leads_out_is_an_alert_and_is_not_fetched(
    server: str, live: Path, known: Known, tmp_path: Path, uri: str
) -> None:
    spoilt(live, "en/index.m3u8", uri)
    with patch.object(Fetcher, "fetch", autospec=True, side_effect=Fetcher.fetch) as fetched:
        probed = looked(server, known, tmp_path)
    assert [call.args[1] for call in fetched.call_args_list] == [f"{server}/master.m3u8"]
    assert any("outside its folder" in a.what for a in probed.alerts)


def test_a_playlist_that_names_itself_is_looked_at_once(server: str, live: Path, known: Known, tmp_path: Path) -> None:
    spoilt(live, "s1.aac", "index.m3u8", "en/index.m3u8")
    probed = looked(server, known, tmp_path)
    assert probed.n_files == 3
    assert any("no rendition" in a.what for a in probed.alerts)


def test_what_is_wrong_with_a_certificate_is_an_alert_of_the_look(server: str, known: Known, tmp_path: Path) -> None:
    wrong = Alert("certificate", "old.json", "revoked")
    assert looked(server, replace(known, alerts=(wrong,)), tmp_path).alerts == (wrong,)


# a package's own certificate


def with_package(known: Known, live: Path, *, without: str = "", role: str = DUB) -> Known:
    """The certificates with one of the package that lies there, file by file."""
    import hashlib

    [(name, opened, _)] = known.certificates
    files = tuple(
        PackageFile(
            p.relative_to(live).as_posix(),
            hashlib.sha256(p.read_bytes()).hexdigest(),
            MANIFEST if p.suffix in (".m3u8", ".mpd") else role,
        )
        for p in sorted(live.rglob("*"))
        if p.is_file() and p.name != without
    )
    claim = PackageClaim("pk", "c", "r", "m", "v", LATER, files, (), {})
    return Known(((name, opened, PackageCertificate(claim, opened, opened.gate, "0" * 64)),), ())


def test_every_file_of_a_certified_package_is_known(server: str, live: Path, known: Known, tmp_path: Path) -> None:
    (live / "en" / "s1.aac").write_bytes(adts("coded anew"))
    assert looked(server, with_package(known, live), tmp_path).alerts == ()


@pytest.mark.parametrize("without", ["master.m3u8", "index.m3u8", "s0.aac"])
def test_a_file_that_the_package_does_not_list_raises_an_alert(
    server: str, live: Path, known: Known, tmp_path: Path, without: str
) -> None:
    [alert] = looked(server, with_package(known, live, without=without), tmp_path).alerts
    assert alert.where.endswith(without)


def test_what_was_not_judged_in_a_package_is_not_known(server: str, live: Path, known: Known, tmp_path: Path) -> None:
    alerts = looked(server, with_package(known, live, role=OTHER), tmp_path).alerts
    assert {a.where for a in alerts} == {"en/s0.aac", "en/s1.aac"}


# the certificates themselves


def test_a_certificate_of_a_revoked_gate_is_an_alert_and_makes_nothing_known(place: Place, certificate: Path) -> None:
    key = place.trust.gates[0]
    gone = with_gate(place.trust, validity=replace(key.validity, not_after=AT - timedelta(days=1)))
    found = known_from([certificate], gone, LATER, None)
    assert found.certificates == ()
    assert [a.kind for a in found.alerts] == ["certificate"]


def test_what_the_gate_did_not_pass_makes_nothing_known(place: Place, tmp_path: Path) -> None:
    own = place.copied(tmp_path / "place")  # a no ends what was certified before it
    failed = own.certified(tmp_path / "verdict", own.world.judged(at=AT, labels=Labels(())))
    found = known_from([failed.certificate], place.trust, LATER, None)
    assert found.certificates == ()
    assert "did not pass" in found.alerts[0].what


def test_an_expired_certificate_still_says_which_bytes_were_certified(place: Place, certificate: Path) -> None:
    assert known_from([certificate], place.trust, LATER + timedelta(days=30), None).certificates


def test_a_certificate_with_one_byte_changed_is_an_alert(place: Place, certificate: Path, tmp_path: Path) -> None:
    data = certificate.read_bytes()
    at = data.index(b'"payload": "') + 90
    path = tmp_path / "other.json"
    path.write_bytes(data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :])
    assert known_from([path], place.trust, LATER, None).alerts


def test_the_registry_is_asked_whether_the_consents_stand(place: Place, certificate: Path) -> None:
    assert known_from([certificate], place.trust, LATER, str(place.world.registry)).certificates
    from dubgate.certificate.refusals import ConsentEnded

    with patch("dubgate.standing.check_standing", side_effect=ConsentEnded("v-mara withdrew", where="r")):
        [alert] = known_from([certificate], place.trust, LATER, str(place.world.registry)).alerts
    assert "v-mara withdrew" in alert.what


# what may be fetched


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.org/m.m3u8", "only https"),
        ("ftp://example.org/m", "only https"),
        ("file:///etc/hostname", "only https"),
        ("https://elsewhere.example/m", "not on the list"),
        ("https://user:pass@example.org/m", "a user, a password"),
        ("https://example.org/a b", "odd characters"),
        ("https://[::1", "no URL"),
        ("http://127.0.0.1/m", "only https"),
    ],
)
def test_what_may_not_be_asked_is_refused_before_any_packet(tmp_path: Path, url: str, why: str) -> None:
    with (
        patch("socket.create_connection", side_effect=AssertionError("it was asked")),
        pytest.raises(InputError, match=why),
    ):
        Fetcher(frozenset({"example.org"})).fetch(url, tmp_path / "x")


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "64:ff9b::a00:1"]
)
def test_a_public_name_at_an_inner_address_is_refused(tmp_path: Path, address: str) -> None:
    asked = Fetcher(frozenset({"example.org"}), resolve=lambda host, port: ["93.184.216.34", address])
    with (
        patch("socket.create_connection", side_effect=AssertionError("asked")),
        pytest.raises(InputError, match="not a public"),
    ):
        asked.fetch("https://example.org/m", tmp_path / "x")


@pytest.mark.parametrize(
    ("bounds", "why"),
    [
        ({"file_bytes": 5}, "more bytes"),
        ({"total_bytes": 300}, "more bytes"),
        ({"files": 2}, "more than 2 files"),
        ({"seconds": 0.0}, "took longer"),
    ],
)
def test_a_look_has_limits(server: str, known: Known, tmp_path: Path, bounds: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        looked(server, known, tmp_path, **bounds)


class Elsewhere(BaseHTTPRequestHandler):
    """A redirect to an inner place, and an answer that ends early."""

    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/secret")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"short")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.mark.parametrize(("path", "why"), [("moved", "answered 302"), ("short", "early|fetched")])
def test_redirects_are_not_followed_and_short_answers_not_believed(tmp_path: Path, path: str, why: str) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        with pytest.raises(InputError, match=why):
            fetcher().fetch(f"http://127.0.0.1:{serving.server_address[1]}/{path}", tmp_path / "x")
        serving.shutdown()


# the command


def test_the_command_tells_alerts_once_in_an_outbox(
    server: str, live: Path, place: Place, certificate: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from made_certificate import key_of

    trust = place.trust_file(tmp_path)
    asked = ["probe", f"{server}/master.m3u8", "--certificate", str(certificate), "--language", "en"]
    asked += ["--trust", str(trust), "--root", key_of(place.keys.root).public, "--notices", str(tmp_path / "outbox")]
    assert run(asked) == 2  # loopback without being told
    with patch("dubgate.probing.known_from", lambda *a: known_from(a[0], place.trust, LATER, None)):
        assert run([*asked, "--allow-loopback"]) == 0
        assert not (tmp_path / "outbox").exists()
        spoilt(live, LABEL, "English")
        for _ in range(2):
            assert run([*asked, "--allow-loopback", "--format", "json"]) == 1
    told = json.loads("{" + capsys.readouterr().out.rpartition("\n{")[2])
    assert (told["as_certified"], told["schema"]) == (False, "live-probe/1.0")
    [waiting] = Outbox(tmp_path / "outbox").all()
    assert "LAB-001" in waiting.notice["reason"]
    assert waiting.notice["releases"][0]["title_id"] == "last-train"
    assert "Stop distributing" in (tmp_path / "outbox" / f"{waiting.notice_id}.txt").read_text()
    shutil.rmtree(live)
    assert run([*asked, "--allow-loopback"]) == 2


def test_a_notice_is_of_its_alerts(known: Known) -> None:
    quiet = Probed("https://example.org/m?token=1", LATER, 1, (), known)
    assert "token" not in notice_of(quiet)["target"]
    loud = replace(quiet, alerts=(Alert("label", "LAB-001", "gone"),))
    assert event_id_of(loud) == event_id_of(replace(loud, at=AT)) != event_id_of(quiet)
