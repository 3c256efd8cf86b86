"""All pictures of the desk and of a report, made again with one command: `python tests/web/shots.py`.

The README's pictures come from the demonstration (`dubgate serve --demo`), whose deliveries are judged first, which takes
minutes; the picture of every page comes from the tests' world. `--look FOLDER` also writes each page of the
demonstration in both languages at 360 and 1600 pixels, to be looked at. Needs Chromium, Playwright and Pillow, for
Japanese a font such as Noto CJK, and dubgate[audio].
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from chromium import AUTHENTICATOR, answering, chromium, free_port, person, served
from PIL import Image
from test_desk_browser import EVERY_PAGE, WAYS, _resubmitted

from dubgate.samples import materialise
from dubgate.service.demo import Demo, demo_desk

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "samples" / "desk"
FREQUENT, FEWEST_PIXELS = 128, 12  # colours that a picture has exactly whatever they are; and how rare another may be
TILE, GAP, ACROSS = (540, 405), 12, 5
OUTSIDE = ("/sign-in", "/recover", "/recover/begun", "/checkpoint", "/sign-in/sent", "/sign-in/link/none")
IN_JAPANESE = {"hana": ("/requests/rq-1",), "ada": ("/grants/g-ada",), "rev-a": ("/deliveries/d-1",)}
LOOKED_AT = {
    "rights holder": (
        "/",
        "/requests",
        "REQUEST",
        "/titles",
        "/titles/last-train",
        "/refusals",
        "/reports",
        "/security",
    ),
    "performer": ("/", "/voices", "/voices/v-mara", "/grants/g-mara", "/grants/g-mara/withdraw"),
    "reviewer (localization)": ("/", "/deliveries", "/deliveries/d-late", "/deliveries/d-no-approval"),
    "operator": ("/", "/accounts"),
}


def kept(picture: Image.Image, path: Path) -> None:
    """As a small PNG whose flat colours are exactly the page's."""
    pixels = np.asarray(picture.convert("RGB"))
    colours, where, counts = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    palette = _palette(colours.astype(np.int32), counts)
    nearest = np.concatenate(
        [_away(part, palette).argmin(axis=1) for part in np.array_split(colours, 1 + len(colours) // 4096)]
    )
    small = Image.fromarray(nearest.astype(np.uint8)[where.reshape(-1)].reshape(pixels.shape[:2]), "P")
    small.putpalette(palette.astype(np.uint8).tobytes())
    small.save(path, optimize=True)
    print(
        f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}  {path.stat().st_size // 1024} KB", flush=True
    )


def _palette(colours: Any, counts: Any) -> Any:
    """The most frequent colours, and then, one by one, the one that is farthest from all of them: a small red swatch too."""
    by_count = np.argsort(-counts)
    chosen = list(by_count[:FREQUENT])
    seen = colours[by_count[: np.searchsorted(-counts[by_count], -FEWEST_PIXELS, side="right")]]
    away = np.concatenate(
        [_away(part, colours[chosen]).min(axis=1) for part in np.array_split(seen, 1 + len(seen) // 4096)]
    )
    palette = [colours[k] for k in chosen]
    while len(palette) < 256 and len(seen) and away.max() > 0:
        palette.append(seen[away.argmax()])
        away = np.minimum(away, _away(seen, palette[-1][None])[:, 0])
    return np.array(palette, dtype=np.int32)


def _away(colours: Any, palette: Any) -> Any:
    return ((colours[:, None, :].astype(np.int64) - palette[None, :, :]) ** 2).sum(axis=2)


def shot(page: Any) -> Image.Image:
    """What is on the screen, once its lines and pictures have come."""
    page.wait_for_load_state("networkidle")
    page.wait_for_function("!document.querySelector('[data-next] a')")
    return Image.open(BytesIO(page.screenshot()))


@dataclass
class Shown:
    """The demonstration with its browser, and the state of each role's signing in: a link works once."""

    browser: Any
    origin: str
    states: dict[str, Any]
    request: str

    @contextmanager
    def page(
        self, role: str, width: int, height: int, *, lang: str = "en", dark: bool = False, scale: int = 2
    ) -> Iterator[Any]:
        """A page of somebody of this role."""
        context = self.browser.new_context(
            storage_state=self.states[role],
            viewport={"width": width, "height": height},
            device_scale_factor=scale,
            color_scheme="dark" if dark else "light",
        )
        page = context.new_page()
        page.goto(f"{self.origin}/")
        if page.get_attribute("html", "lang") != lang:
            _turn(page, lang)
        yield page
        context.close()

    def at(self, path: str) -> str:
        """The address of a page; REQUEST is what the rights holder was asked first."""
        return f"{self.origin}{path.replace('REQUEST', f'/requests/{self.request}')}"


def signed_in(browser: Any, link: str) -> Any:
    """The cookies of somebody who came by their link and made a passkey."""
    context = browser.new_context()
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    page.goto(link)
    page.click("main button")
    page.wait_for_url("**/security")
    page.click("main form[data-passkey] button")
    page.wait_for_url("**said=passkey_added")
    page.click("form[action='/security/codes'] button")
    page.wait_for_selector(".codes li")
    state = context.storage_state()
    context.close()
    return state


def asked_first(demo: Demo) -> str:
    """The request that shows most: to the rights holder, about a delivery in which every consent is there."""
    desk = demo.app.state.desk
    wanted = desk.judge.dossier("d-no-approval").summary.packets_sha256
    from consent.asking import request_histories

    with desk.registry.view() as view:
        found = [h.request for h in request_histories(view, f"sound:{wanted}") if h.request.to == "kestrel"]
    return found[0].request_id


@contextmanager
def shown(browser: Any) -> Iterator[Shown]:
    """The demonstration, once every delivery is judged."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        origin = f"http://localhost:{port}"
        demo = demo_desk(Path(folder), origin=origin, say=lambda line: print(line, flush=True))
        with answering(demo.app, port):
            states = {role: signed_in(browser, link) for role, link in demo.links if role in LOOKED_AT}
            demo.behind.start()
            demo.behind.join()
            yield Shown(browser, origin, states, asked_first(demo))
        demo.close()


def desk_pictures(of: Shown, out: Path) -> None:
    """Those of the README: a rights holder and a reviewer at twice the pixels, a performer on a phone."""
    for lang, name in (("en", "request.png"), ("ja", "request-ja.png")):
        with of.page("rights holder", 1200, 1000, lang=lang) as page:
            page.goto(of.at("REQUEST"))
            kept(shot(page), out / name)
    with of.page("rights holder", 1200, 1000) as page:
        page.goto(of.at("REQUEST"))
        page.click("main button:has-text('Go on to sign')")
        page.wait_for_url("**/sign/**")
        kept(shot(page), out / "sign.png")
    with of.page("reviewer (localization)", 1200, 1000) as page:
        page.goto(of.at("/deliveries/d-late"))
        shot(page)
        page.keyboard.press("j")
        page.wait_for_selector(".line[aria-current=true] .picture:not([hidden])")
        kept(shot(page), out / "listening.png")
    with of.page("performer", 390, 850, dark=True, scale=1) as page:  # the README shows it as it is
        page.goto(of.at("/grants/g-mara"))
        kept(shot(page), out / "consent.png")


def looked_at(of: Shown, out: Path) -> None:
    """Every page of the demonstration, narrow and wide, in both languages, from top to bottom."""
    out.mkdir(parents=True, exist_ok=True)
    for role, paths in LOOKED_AT.items():
        for lang in ("en", "ja"):
            for width in (360, 1600):
                with of.page(role, width, 900, lang=lang, scale=1) as page:
                    for n, path in enumerate(paths):
                        page.goto(of.at(path))
                        shot(page)
                        wide = page.evaluate("document.documentElement.scrollWidth")
                        name = f"{role.split()[0]}-{n}-{lang}-{width}.png"
                        page.screenshot(path=str(out / name), full_page=True)
                        print(f"{name}  {path}{f'  {wide} WIDE' if wide > width else ''}", flush=True)


def pages_picture(browser: Any, out: Path) -> None:
    """Each kind of page, of every role and of nobody yet signed in, in the tests' world; some of them in Japanese too."""
    tiles: list[Image.Image] = []
    in_japanese: list[Image.Image] = []
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as desk:
        _resubmitted(desk)
        for party, paths in EVERY_PAGE.items():
            with person(browser, desk, party, viewport={"width": 1080, "height": 810}) as visitor:
                ways = [*((path, ()) for path in paths), *WAYS.get(party, ())]
                in_japanese += [_in_japanese(visitor, path) for path in IN_JAPANESE.get(party, ())]  # while it waits
                tiles += [_tile(visitor, path, steps) for path, steps in ways]
        for locale, paths in (("en", OUTSIDE), ("ja", OUTSIDE[:1])):
            page = browser.new_page(color_scheme="dark", viewport={"width": 1080, "height": 810}, locale=locale)
            for path in paths:
                page.goto(f"{desk.desk.settings.origin}{path}")
                (in_japanese if locale == "ja" else tiles).append(_small(shot(page)))
            page.close()
    kept(_sheet([*tiles, *in_japanese]), out / "pages.png")


def _in_japanese(visitor: Any, path: str) -> Image.Image:
    """The page in Japanese; whoever it is goes on in English."""
    visitor.go(path)
    _turn(visitor.page, "ja")
    tile = _small(shot(visitor.page))
    _turn(visitor.page, "en")
    return tile


def _turn(page: Any, lang: str) -> None:
    page.click("form[action='/language'] button")
    page.wait_for_selector(f"html[lang={lang}]", state="attached")


def _tile(visitor: Any, path: str, steps: tuple[Callable[[Any], None], ...]) -> Image.Image:
    visitor.go(path)
    for step in steps:
        step(visitor.page)
    visitor.page.evaluate("scrollTo(0, 0)")
    return _small(shot(visitor.page))


def _small(picture: Image.Image) -> Image.Image:
    return picture.convert("RGB").resize(TILE, Image.Resampling.LANCZOS)


def _sheet(tiles: list[Image.Image]) -> Image.Image:
    rows = -(-len(tiles) // ACROSS)
    width, height = (ACROSS * (TILE[0] + GAP) + GAP, rows * (TILE[1] + GAP) + GAP)
    sheet = Image.new("RGB", (width, height), (112, 112, 112))
    for k, tile in enumerate(tiles):
        sheet.paste(tile, (GAP + k % ACROSS * (TILE[0] + GAP), GAP + k // ACROSS * (TILE[1] + GAP)))
    return sheet


def report_picture(browser: Any, out: Path) -> None:
    """The report of the sample with one late line."""
    with tempfile.TemporaryDirectory() as folder:
        case = materialise(ROOT / "samples" / "late", Path(folder))
        files = [str(case / name) for name in ("original.flac", "dub.flac", "script.vtt")]
        command = [sys.executable, "-m", "dubgate", "qc", *files, "--out", str(case / "qc"), "--quiet"]
        subprocess.run(command, cwd=ROOT, check=False)  # it holds: 3
        page = browser.new_page(viewport={"width": 1280, "height": 1800}, color_scheme="light", device_scale_factor=1)
        page.goto((case / "qc" / "report.html").as_uri())
        page.wait_for_timeout(500)
        kept(Image.open(BytesIO(page.screenshot())), out.parent / "report.png")
        page.close()


def main() -> None:
    """Make them."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--out", type=Path, default=PICTURES, help="where the pictures go; report.png lies beside it")
    asked.add_argument("--only", choices=("desk", "pages", "report"), help="not all of them")
    asked.add_argument("--look", type=Path, help="a folder for every page of the demonstration, narrow and wide")
    how = asked.parse_args()
    how.out.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        if how.only in (None, "pages"):
            pages_picture(browser, how.out)
        if how.only in (None, "report"):
            report_picture(browser, how.out)
        if how.only in (None, "desk"):
            with shown(browser) as of:
                desk_pictures(of, how.out)
                if how.look is not None:
                    looked_at(of, how.look)


if __name__ == "__main__":
    main()
