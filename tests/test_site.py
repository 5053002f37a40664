"""The built site in a browser: pages are found by the words that people use, and fit screens."""

from __future__ import annotations

import functools
import http.server
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import browser
import pytest

DOCS = Path(__file__).parents[1] / "docs"
WIDTHS = (390, 768, 1280)

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not find_spec("furo"), reason="what builds the docs is not installed"),
    pytest.mark.skipif(not browser.PROGRAM, reason="no browser"),
    # one build for all of them
    pytest.mark.xdist_group("site"),
]

FOUND_BY = {
    "otp": "recipes/one-time-codes",
    "verification": "recipes/one-time-codes",
    "rollback": "recipes/after-a-commit",
    "celery": "recipes/celery",
    "bulk": "recipes/bulk",
    "campaign": "recipes/bulk",
    "schedule": "recipes/later",
    "foreign key": "recipes/own-model",
    "template": "recipes/templates",
    "auto-reply": "recipes/answering",
    "unsubscribe": "recipes/stop",
    "gdpr": "recipes/erasing",
    "tenants": "recipes/tenants",
    "staging": "recipes/staging",
    "mock": "recipes/testing",
    "monitoring": "recipes/monitoring",
    "alerts": "recipes/monitoring",
    "systemd": "operating",
    "webhook": "webhooks",
    "simulator": "phone",
    "idempotency": "sending",
}

TOO_WIDE = """
[...document.querySelectorAll('article *')].filter((element) => {
  const box = element.getBoundingClientRect();
  if (box.width === 0 || box.right <= innerWidth + 1) return false;
  for (let p = element.parentElement; p && p.tagName !== 'ARTICLE'; p = p.parentElement) {
    if (getComputedStyle(p).overflowX !== 'visible') return false;
  }
  return true;
}).map((element) => element.outerHTML.slice(0, 80))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", str(DOCS), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def tab() -> Iterator[Any]:
    with browser.tab() as tab:
        yield tab


@pytest.mark.parametrize(("words", "page"), FOUND_BY.items())
def test_the_search_finds_it(tab: Any, address: str, words: str, page: str) -> None:
    tab.open(f"{address}search.html?q={words}")
    tab.wait("document.querySelector('.search-summary')?.textContent.match(/found/)")
    found = tab.run("[...document.querySelectorAll('#search-results li > a')].map(a => a.href)")
    first = [re.sub(r"\.html.*", "", link.removeprefix(address)) for link in found]
    assert page in first[:5]


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_the_screen(tab: Any, address: str, site: Path, width: int) -> None:
    tab.size(width, 900)
    wide = {}
    for page in sorted(site.rglob("*.html")):
        tab.open(f"{address}{page.relative_to(site)}")
        if tab.run("document.documentElement.scrollWidth > innerWidth") or tab.run(TOO_WIDE):
            wide[page.name] = tab.run(TOO_WIDE)
    assert wide == {}


def test_what_it_says_first_of_code_fits_a_phone(tab: Any, address: str) -> None:
    tab.size(390, 900)
    tab.open(f"{address}index.html")
    cut = "filter((code) => code.scrollWidth > code.clientWidth).map((code) => code.textContent)"
    assert tab.run(f"[...document.querySelectorAll('article pre')].{cut}") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_front_page_shows_one_picture(tab: Any, address: str, width: int, scheme: str) -> None:
    tab.size(width, 900)
    tab.prefers(scheme)
    tab.open(f"{address}index.html")
    shown = tab.run(
        "[...document.querySelectorAll('article img')].filter(i => i.offsetWidth).map(i => i.src)"
    )
    [picture] = shown
    assert scheme in picture
    assert ("narrow" in picture) == (width == 390)


def test_every_drawing_is_told_in_words(site: Path) -> None:
    drawings = [
        drawing
        for page in site.rglob("*.html")
        for drawing in re.findall(r'<div class="drawing"[^>]*><svg ([^>]*)>', page.read_text())
    ]
    assert len(drawings) == len(list((DOCS / "drawings").glob("*.dot")))
    assert all(re.search(r'aria-label="[^"]{20,}"', drawing) for drawing in drawings)


def test_what_machines_read_leads_to_what_is_there(site: Path) -> None:
    told = (site / "llms.txt").read_text()
    links = re.findall(r"\]\(/([^)]+)\)", told)
    assert "_sources/recipes/one-time-codes.md.txt" in links
    assert [link for link in links if not (site / link).is_file()] == []


def test_a_page_that_is_not_there_has_a_page(site: Path) -> None:
    assert "There is no such page" in (site / "404.html").read_text()
