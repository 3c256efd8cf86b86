"""Deliveries from elsewhere: uploads that lie, URLs to the inside, stores; what is taken is bounded and looked at."""

from __future__ import annotations

import io
import json
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fsspec
import pytest
from made_service import Api, House
from swapped_folders import turned_into_a_link
from test_jobs_survive import found, queued

from dubgate import watching
from dubgate.delivery.manifest import Delivery, load_delivery
from dubgate.delivery.manifest_paths import EACH, path_fields
from dubgate.errors import InputError
from dubgate.service import fetching
from dubgate.service.fetching import FetchError, check_url, fetch, named_in
from dubgate.service.judging import judge
from dubgate.service.settings import Root, Source
from dubgate.service.sources import SourceRefusedError, allowed_path, manifest_of
from dubgate.watching import watch

WAV = b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\xbb\x00\x00\x00\x77\x01\x00\x02\x00\x10\x00data\x00\x00\x00\x00"
YAML = b"schema: delivery/1.0\n"
File = tuple[str, bytes, str]
GOOD: tuple[File, ...] = (
    ("delivery.yaml", YAML, "application/yaml"), ("dub.wav", WAV, "audio/wav"), ("script.vtt", b"WEBVTT\n", "text/vtt"),
    ("evidence/approval.json", b"{}", "application/json"),
)  # fmt: skip


def owned(*prefixes: str, by: str = "polyglot") -> tuple[Source, ...]:
    return tuple(Source(organisation=by, prefix=prefix) for prefix in prefixes)


def naming_all(form: str) -> tuple[dict[str, Any], set[str]]:
    """A delivery that names a file in each place that can, the media in one form or the other; and their names."""
    said: dict[str, Any] = {
        "schema": "delivery/1.0",
        "original": {"language": "ja"},
        "dub": {"language": "en"},
        "cast": [{"character": "Ann", "technique": "human"}],
        "production": {"purposes": ["access"], "tools": [{"name": "T", "version": "1"}]},
        "extends": "series.yaml",
    }
    media = 2 if form == "short" else 3
    keys = [k for k in sorted(path_fields()) if k[0] not in ("original", "dub") or len(k) == media]
    names = {"delivery.yaml", "series.yaml"}
    for n, (*above, last) in enumerate(k for k in keys if k != ("extends",)):
        name, here = f"f{n}.json", said
        for key, following in pairwise((*above, last)):
            if key == EACH:
                here = here[0]
            elif following == EACH:
                here[key] = [name] if last == EACH else [{"sha256": "0" * 64}]
                here = here[key]
            else:
                here = here.setdefault(key, {"sha256": "0" * 64} if key == "intake" else {})
        if last != EACH:
            here[last] = name
        names.add(name)
    return said, names


@pytest.fixture(scope="module")
def api(released_house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    house = released_house.copied(tmp_path_factory.mktemp("sources") / "house")
    with house.api(sources=owned("memory://dubs/", "https://media.example.org/dubs/")) as opened:
        yield opened


def sent(api: Api, *files: File, headers: dict[str, str] | None = None) -> Any:
    parts = [("file", (name, io.BytesIO(data), kind)) for name, data, kind in files]
    return api.client.post("/v1/uploads", files=parts, headers=headers or api.vendor)


def kept(api: Api) -> list[Path]:
    folder = api.house.settings.data / "uploads"
    return sorted(p for p in folder.rglob("*") if p.is_file()) if folder.exists() else []


def test_an_upload_is_kept_with_the_digest_of_each_file_and_can_be_submitted(api: Api) -> None:
    answer = sent(api, *GOOD)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert set(body["files"]) == {name for name, _, _ in GOOD}
    job = api.client.post("/v1/deliveries", json={"upload": body["upload_id"]}, headers=api.vendor)
    assert job.status_code == 202
    other = api.client.post(
        "/v1/deliveries", json={"upload": body["upload_id"]}, headers=api.as_("other-house", "submit")
    )
    assert other.status_code == 404


LIES: dict[str, tuple[File, ...]] = {
    "a script that is called sound": (GOOD[0], ("dub.wav", b"ffconcat version 1.0\nfile /etc/passwd\n", "audio/wav")),
    "a playlist that is called sound": (GOOD[0], ("dub.mp4", b"#EXTM3U\nhttp://inside/\n", "video/mp4")),
    "nothing that is known": (GOOD[0], ("dub.wav", b"\x00" * 64, "audio/wav")),
    "an empty sound": (GOOD[0], ("dub.wav", b"", "audio/wav")),
    "a sound that is declared as a picture": (GOOD[0], ("dub.wav", WAV, "image/png")),
    "a sound that is called a script": (GOOD[0], ("script.vtt", WAV, "text/vtt")),
    "a text with zero bytes": (GOOD[0], ("script.srt", b"1\x00", "text/plain")),
    "JSON that is none": (GOOD[0], ("evidence/a.json", b"{", "application/json")),
    "deep JSON": (GOOD[0], ("evidence/a.json", b"[" * 100_000, "application/json")),
    "YAML with an alias": (("delivery.yaml", b"a: &x 1\nb: *x\n", "application/yaml"),),
    "no manifest": (GOOD[1],),
    "a file twice": (GOOD[0], GOOD[1], GOOD[1]),
    "a way out": (GOOD[0], ("../../x.vtt", b"WEBVTT\n", "text/vtt")),
    "an absolute name": (GOOD[0], ("/etc/cron.d/x.vtt", b"WEBVTT\n", "text/vtt")),
    "a hidden file": (GOOD[0], (".ssh/x.vtt", b"WEBVTT\n", "text/vtt")),
    "a deep path": (GOOD[0], ("a/b/c/d/e.vtt", b"WEBVTT\n", "text/vtt")),
    "a file where another has its folder": (
        *GOOD[:1],
        ("a.vtt", b"WEBVTT\n", "text/vtt"),
        ("a.vtt/b.vtt", b"WEBVTT\n", "text/vtt"),
    ),
    "a backslash": (GOOD[0], ("a\\b.vtt", b"WEBVTT\n", "text/vtt")),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_upload_that_lies_is_refused_and_nothing_of_it_is_kept(lie: str, api: Api) -> None:
    before = kept(api)
    answer = sent(api, *LIES[lie])
    assert answer.status_code == 422, answer.text
    assert kept(api) == before


def test_what_is_no_form_is_no_upload(api: Api) -> None:
    raw = {"content-type": "multipart/form-data; boundary=x"}
    for content, headers in ((b"x", {}), (b"{}", {"content-type": "application/json"})):
        assert api.client.post("/v1/uploads", content=content, headers=api.vendor | headers).status_code == 415
    for content in (
        b"",
        b"--x",
        b"--x--",
        b"garbage" * 100,
        b"--x\r\ncontent-disposition: form-data; name=a\r\n\r\nb\r\n--x--\r\n",
    ):
        answer = api.client.post("/v1/uploads", content=content, headers=api.vendor | raw)
        assert answer.status_code in (400, 422), (content, answer.text)


def test_uploads_are_bounded_in_number_and_size(house: House) -> None:
    limits = house.settings.limits.model_copy(update={"upload_files": 3, "upload_bytes": 20_000})
    with house.api(limits=limits) as api:
        assert sent(api, *GOOD).status_code == 400
        assert sent(api, GOOD[0], ("dub.wav", WAV + b"\x00" * 30_000, "audio/wav")).status_code == 413
        assert sent(api, *GOOD[:3]).status_code == 201
        lying = api.vendor | {"content-type": "multipart/form-data; boundary=x", "content-length": "99999999999"}
        assert api.client.post("/v1/uploads", content=b"x", headers=lying).status_code == 413


def test_a_full_disk_keeps_nothing_and_says_when_to_come_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    before = kept(api)
    opened = Path.open

    def full(self: Path, *args: Any, **more: Any) -> Any:
        if args[:1] == ("xb",):
            raise OSError(28, "No space left on device")
        return opened(self, *args, **more)

    monkeypatch.setattr(Path, "open", full)
    answer = sent(api, *GOOD)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert kept(api) == before


# URLs


@pytest.mark.parametrize(
    "url",
    [
        "https://media.example.org/other/delivery.yaml", "https://media.example.org/dubs/../x/delivery.yaml",
        "https://media.example.org/dubs/%2e%2e/delivery.yaml", "https://media.example.org.evil.org/dubs/delivery.yaml",
        "https://media.example.org/dubs/delivery.yaml?x=1", "https://media.example.org/dubs/delivery.yaml#x",
        "https://a:b@media.example.org/dubs/delivery.yaml", "http://media.example.org/dubs/delivery.yaml",
        "https://media.example.org/dubs/dub.wav", "https://media.example.org/dubs//delivery.yaml", "file:///etc/delivery.yaml",
        "local:///etc/delivery.yaml", "memory://other/delivery.yaml", "memory://dubs/a::file:///delivery.yaml",
        "https://media.example.org/dubs/ delivery.yaml", "https://media.example.org/dubs\\x/delivery.yaml", "delivery.yaml", "https://media.example.org/dübs/delivery.yaml",
    ],
)  # fmt: skip
def test_a_url_that_no_prefix_allows_is_refused(url: str, api: Api) -> None:
    answer = api.client.post("/v1/deliveries", json={"url": url}, headers=api.vendor)
    assert answer.status_code == 404, answer.text


URL = "memory://dubs/ep1/delivery.yaml"


def test_a_prefix_of_another_organisation_is_refused_at_the_door_and_by_the_worker(house: House) -> None:
    with house.api(sources=owned("memory://dubs/", by="other-house")) as api:
        answer = api.client.post("/v1/deliveries", json={"url": URL}, headers=api.vendor)
        other = api.client.post("/v1/deliveries", json={"url": URL}, headers=api.as_("other-house", "submit", "read"))
        assert (answer.status_code, other.status_code) == (404, 202)
        assert "your organisation" in answer.json()["remedy"]
        assert "other-house" not in answer.text
        job_id = queued(house, url=URL)  # it was allowed when it was submitted
        worker = house.worker()
        worker.settings = api.state.settings
        while worker.step():
            pass
        job = found(house, job_id)
        assert job.state == "failed"
        assert job.error is not None
        assert job.error["kind"] == "SourceRefusedError"
        assert not (house.settings.data / "fetched" / job_id).exists()


def test_where_prefixes_lie_inside_each_other_the_longest_says_whose_it_is(api: Api) -> None:
    sources = (*owned("s3://dubs", "s3://shared/"), *owned("s3://dubs/other/", "s3://shared/", by="other-house"))
    settings = api.state.settings.model_copy(update={"sources": sources})
    allowed = {
        ("polyglot", "s3://dubs/ep1/delivery.yaml"),
        ("polyglot", "s3://dubs/others/delivery.yaml"),
        ("other-house", "s3://dubs/other/delivery.yaml"),
        ("polyglot", "s3://shared/ep1/delivery.yaml"),
        ("other-house", "s3://shared/ep1/delivery.yaml"),
    }
    for organisation in ("polyglot", "other-house", "third"):
        for url in {url for _, url in allowed} | {"s3://dubsx/delivery.yaml"}:
            if (organisation, url) in allowed:
                assert check_url(url, organisation, settings) == url
            else:
                with pytest.raises(SourceRefusedError):
                    check_url(url, organisation, settings)


def test_where_folders_lie_inside_each_other_the_innermost_says_whose_it_is(api: Api, tmp_path: Path) -> None:
    for name in ("ep1", "other/ep2", "shared/ep3"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "delivery.yaml").write_bytes(YAML)
    roots = (
        ("polyglot", ""),
        ("other-house", "other"),
        ("polyglot", "shared"),
        ("other-house", "shared"),
        ("polyglot", "gone"),
    )
    given = tuple(Root(organisation=who, path=tmp_path / name) for who, name in roots)
    settings = api.state.settings.model_copy(update={"roots": given})
    allowed = {
        ("polyglot", "ep1"),
        ("other-house", "other/ep2"),
        ("polyglot", "shared/ep3"),
        ("other-house", "shared/ep3"),
    }
    for organisation in ("polyglot", "other-house", "third"):
        for name in ("ep1", "other/ep2", "shared/ep3"):
            path = str(tmp_path / name / "delivery.yaml")
            if (organisation, name) in allowed:
                assert allowed_path(path, organisation, settings) == Path(path).resolve()
            else:
                with pytest.raises(SourceRefusedError):
                    allowed_path(path, organisation, settings)


def test_a_delivery_does_not_reach_into_a_folder_of_others_that_lies_below_its_own(house: House) -> None:
    """Its manifest lies where it may; the approval that it would be judged with lies in what is another organisation's."""
    root, submitter = house.manifest.parent, watch(house.manifest).delivery.submitter
    own = Root(organisation="polyglot", path=root)
    other = Root(organisation="other-house", path=root / "evidence")
    heard = []

    def judged(*roots: Root) -> None:
        settings = house.settings.model_copy(update={"roots": roots})
        asked: Any = SimpleNamespace(party=submitter, organisation="polyglot", request={"path": "x"})
        how: Any = {"clock": lambda: datetime.now(UTC), "render": dict, "progress": nothing, "reached": lambda _: None}
        judge(asked, settings, house.manifest, hear=lambda *_, **__: heard.append(1), **how)

    with pytest.raises(SourceRefusedError, match="may not submit from"):
        judged(own, other)
    assert heard == []
    with pytest.raises(AttributeError):  # nothing was heard here, and it went on as far as that
        judged(own)
    assert heard == [1]


def test_whose_a_file_is_counts_where_it_lay_when_it_was_digested(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder is a link into another organisation's while it is digested, and is one's own again when somebody asks."""
    root, submitter = house.manifest.parent, watch(house.manifest).delivery.submitter
    theirs = Path(shutil.copytree(root / "evidence", tmp_path / "theirs" / "evidence"))
    roots = (Root(organisation="polyglot", path=root), Root(organisation="other-house", path=tmp_path / "theirs"))
    settings = house.settings.model_copy(update={"roots": roots})
    asked: Any = SimpleNamespace(party=submitter, organisation="polyglot", request={"path": "x"})
    how: Any = {"clock": lambda: datetime.now(UTC), "render": dict, "progress": nothing, "reached": lambda _: None}
    genuine, heard = watching.seen, []

    def turned(path: Path) -> Any:
        if path.parent.name != "evidence":
            return genuine(path)
        with turned_into_a_link(root / "evidence", theirs):
            return genuine(path)

    monkeypatch.setattr(watching, "seen", turned)
    with pytest.raises(SourceRefusedError, match="may not submit from"):
        judge(asked, settings, house.manifest, hear=lambda *_, **__: heard.append(1), **how)
    assert heard == []


def nothing(stage: str, share: float) -> None:
    """Progress that nobody watches."""


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.1.1", "::1", "fe80::1", "::ffff:127.0.0.1", "0.0.0.0"],
)
def test_a_host_that_lies_inside_is_not_asked(address: str, api: Api, tmp_path: Path) -> None:
    """Also where only one of its addresses does: a name that changes its mind in between reaches nothing."""
    settings = api.state.settings
    for found_at in ([address], ["93.184.216.34", address]):
        with pytest.raises(SourceRefusedError, match="not a public address"):
            fetch(
                "https://media.example.org/dubs/delivery.yaml",
                "polyglot",
                settings,
                tmp_path / "f",
                nothing,
                resolve=partial(_addresses, found_at),
            )


def _addresses(found_at: list[str], host: str, port: int) -> list[str]:
    return found_at


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A web server on loopback, for a service that allows it."""
    folder = tmp_path_factory.mktemp("web")

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(folder))

        def do_GET(self) -> None:
            if self.path.startswith("/dubs/moved"):
                self.send_response(302)
                self.send_header("location", "http://169.254.169.254/latest")
                self.end_headers()
                return
            super().do_GET()

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/dubs/", folder / "dubs"
    server.shutdown()


def test_a_delivery_is_fetched_with_every_file_that_it_names_and_nothing_else(
    api: Api, web: tuple[str, Path], tmp_path: Path
) -> None:
    base, folder = web
    (folder / "ep1" / "evidence").mkdir(parents=True)
    text = "schema: delivery/1.0\nextends: series.yaml\ndub: {language: en, mix: dub.wav}\nevidence: {approvals: [evidence/a.json]}\n"
    (folder / "ep1" / "delivery.yaml").write_text(text, encoding="utf-8")
    (folder / "ep1" / "series.yaml").write_text(
        "original: {language: de, mix: {path: original.wav}}\ncues: s.vtt\n", encoding="utf-8"
    )
    for name in ("dub.wav", "original.wav", "s.vtt", "evidence/a.json", "secret.txt"):
        (folder / "ep1" / name).write_bytes(name.encode())
    settings = api.state.settings.model_copy(update={"sources": owned(base), "allow_private_sources": True})
    manifest = fetch(f"{base}ep1/delivery.yaml", "polyglot", settings, tmp_path / "f", nothing)
    names = sorted(str(p.relative_to(tmp_path / "f")) for p in (tmp_path / "f").rglob("*") if p.is_file())
    assert names == ["delivery.yaml", "dub.wav", "evidence/a.json", "original.wav", "s.vtt", "series.yaml"]
    assert manifest.read_text(encoding="utf-8") == text

    few = settings.model_copy(update={"limits": settings.limits.model_copy(update={"upload_files": 3})})
    with pytest.raises(InputError, match="too many files"):
        fetch(f"{base}ep1/delivery.yaml", "polyglot", few, tmp_path / "g", nothing)
    small = settings.model_copy(update={"limits": settings.limits.model_copy(update={"fetched_bytes": 1024})})
    (folder / "ep1" / "dub.wav").write_bytes(b"x" * 5000)
    with pytest.raises(InputError, match="large"):
        fetch(f"{base}ep1/delivery.yaml", "polyglot", small, tmp_path / "h", nothing)


@pytest.mark.parametrize("form", ["short", "long"])
def test_every_file_that_the_manifests_model_can_name_is_fetched_and_watched(
    api: Api, web: tuple[str, Path], tmp_path: Path, form: str
) -> None:
    """One list, the model's own: a field that is added tomorrow is fetched, read as a file and watched, or this is red."""
    base, folder = web
    document, names = naming_all(form)
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"{}")
    (folder / "series.yaml").write_text("schema: delivery/1.0\n", encoding="utf-8")
    (folder / "delivery.yaml").write_text(json.dumps(document), encoding="utf-8")
    (folder / "secret.txt").write_bytes(b"named by nobody")
    settings = api.state.settings.model_copy(update={"sources": owned(base), "allow_private_sources": True})
    manifest = fetch(f"{base}delivery.yaml", "polyglot", settings, tmp_path / "f", nothing)
    got = {p.relative_to(tmp_path / "f").as_posix() for p in (tmp_path / "f").rglob("*") if p.is_file()}
    assert got == names
    delivery = load_delivery(manifest)
    listed = {p for p, _ in delivery.manifests} | {*delivery.files}
    assert {p.relative_to(delivery.root).as_posix() for p in listed} == names


def test_a_file_that_nobody_would_watch_stops_the_program(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Delivery, "files", ())
    with pytest.raises(RuntimeError, match="nobody would watch"):
        load_delivery(api.house.manifest)


def test_a_manifest_of_another_name_is_not_confused_with_one_beside_it(
    api: Api, web: tuple[str, Path], tmp_path: Path
) -> None:
    base, folder = web
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ep1.yaml").write_text("schema: delivery/1.0\nextends: delivery.yaml\n", encoding="utf-8")
    (folder / "delivery.yaml").write_text("schema: delivery/1.0\n", encoding="utf-8")
    sources = (*owned(base), *owned("memory://two/"))
    settings = api.state.settings.model_copy(update={"sources": sources, "allow_private_sources": True})
    store = fsspec.filesystem("memory")
    for name in ("ep1.yaml", "delivery.yaml"):
        store.pipe(f"/two/{name}", b"x")
    for url in (f"{base}ep1.yaml", "memory://two/ep1.yaml"):
        with pytest.raises(InputError, match=r"another delivery\.yaml"):
            fetch(url, "polyglot", settings, tmp_path / "f", nothing)


def test_what_is_another_organisations_is_not_fetched_with_a_delivery(
    api: Api, web: tuple[str, Path], tmp_path: Path
) -> None:
    base, folder = web
    (folder / "theirs").mkdir(parents=True)
    (folder / "theirs" / "dub.wav").write_bytes(b"theirs")
    text = "schema: delivery/1.0\ndub: {language: en, mix: theirs/dub.wav}\n"
    (folder / "delivery.yaml").write_text(text, encoding="utf-8")
    sources = (*owned(base, "memory://nest/"), *owned(f"{base}theirs/", "memory://nest/theirs/", by="other-house"))
    settings = api.state.settings.model_copy(update={"sources": sources, "allow_private_sources": True})
    with pytest.raises(SourceRefusedError, match="another organisation's"):
        fetch(f"{base}delivery.yaml", "polyglot", settings, tmp_path / "web", nothing)
    assert not (tmp_path / "web" / "theirs" / "dub.wav").exists()
    store = fsspec.filesystem("memory")
    for name in ("delivery.yaml", "theirs/dub.wav", "own.wav"):
        store.pipe(f"/nest/{name}", b"x")
    fetch("memory://nest/delivery.yaml", "polyglot", settings, tmp_path / "store", nothing)
    assert sorted(p.name for p in (tmp_path / "store").rglob("*") if p.is_file()) == ["delivery.yaml", "own.wav"]


def test_redirects_are_not_followed_and_what_is_absent_is_told(api: Api, web: tuple[str, Path], tmp_path: Path) -> None:
    base, _ = web
    settings = api.state.settings.model_copy(update={"sources": owned(base), "allow_private_sources": True})
    with pytest.raises(InputError, match="answered 302"):
        fetch(f"{base}moved/delivery.yaml", "polyglot", settings, tmp_path / "f", nothing)
    with pytest.raises(InputError, match="answered 404"):
        fetch(f"{base}absent/delivery.yaml", "polyglot", settings, tmp_path / "f", nothing)
    gone = settings.model_copy(update={"sources": owned("http://127.0.0.1:9/")})
    with pytest.raises(FetchError):
        fetch("http://127.0.0.1:9/delivery.yaml", "polyglot", gone, tmp_path / "f", nothing)


@pytest.mark.parametrize("path", ["../x.wav", "/etc/passwd", "a\\b", "http://inside/x.wav", "~/x"])
def test_a_manifest_that_names_a_way_out_is_not_followed(path: str) -> None:
    with pytest.raises(InputError):
        named_in(f"dub: {{mix: '{path}'}}\n".encode(), "delivery.yaml")


def test_a_delivery_is_fetched_from_a_store_through_fsspec_and_judged(api: Api, tmp_path: Path) -> None:
    store = fsspec.filesystem("memory")
    for path in api.house.manifest.parent.rglob("*"):
        if path.is_file():
            store.pipe(f"/dubs/ep9/{path.relative_to(api.house.manifest.parent)}", path.read_bytes())
    assert check_url("memory://dubs/ep9/delivery.yaml", "polyglot", api.state.settings)
    answer = api.client.post("/v1/deliveries", json={"url": "memory://dubs/ep9/delivery.yaml"}, headers=api.vendor)
    assert answer.status_code == 202, answer.text
    worker = api.house.worker()
    worker.settings = api.state.settings
    while worker.step():
        pass
    job = found(api.house, answer.json()["job_id"])
    assert job.error is None, job.error
    assert job.decision == "release"
    assert (api.house.settings.data / "fetched" / job.job_id / "delivery.yaml").is_file()
    with pytest.raises(InputError, match="no such"):
        fetch("memory://dubs/nothing/delivery.yaml", "polyglot", api.state.settings, tmp_path / "f", nothing)


def test_an_unknown_kind_of_store_is_told(api: Api, tmp_path: Path) -> None:
    settings = api.state.settings.model_copy(update={"sources": owned("s3://dubs/")})
    with pytest.raises((InputError, FetchError)):
        fetch("s3://dubs/x/delivery.yaml", "polyglot", settings, tmp_path / "f", nothing)
    assert fetching.NEVER[0] == "file"


def test_a_path_is_absolute_plain_and_short_and_another_place_is_looked_up_by_its_own_kind(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = api.house.settings
    [root] = [r for r in settings.roots if r.organisation == "polyglot"][:1]
    good = next(root.path.resolve().rglob("delivery.yaml"))
    assert allowed_path(str(good), "polyglot", settings) == good
    monkeypatch.chdir(good.parent)
    odd = good.with_name("de\x7flivery.yaml")
    odd.write_bytes(YAML)
    long = str(good.parent) + "/." * 600 + "/delivery.yaml"
    for given in ("delivery.yaml", str(odd), long):
        with pytest.raises(SourceRefusedError):
            allowed_path(given, "polyglot", settings)
    odd.unlink()
    upload = sent(api, *GOOD).json()["upload_id"]
    assert manifest_of({"upload": upload}, "polyglot", settings).read_bytes() == YAML
    for request in ({}, {"url": "memory://dubs/x/delivery.yaml"}):
        with pytest.raises(SourceRefusedError):
            manifest_of(request, "polyglot", settings)
