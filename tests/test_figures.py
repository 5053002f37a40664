"""Figures that the code owns are the same in the documentation, in docstrings and in help texts.

Each line below is a page and what it has to say, with the figure taken from the code.
"""

import inspect
import re
from dataclasses import fields
from datetime import timedelta
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import pytest

import djsms
from djsms import Status, conf, numbers, segments, tidying, webhooks
from djsms.accounts import addresses
from djsms.admin import messages, pages, search
from djsms.admin.actions import cancelling, refreshing, resending
from djsms.exceptions import InvalidNumber
from djsms.ledger import erasure, transactions
from djsms.models import ACCOUNT_LENGTH, KEY_LENGTH, TextMessage
from djsms.receiving.bodies import MAX_BODY
from djsms.rollups import keeping
from djsms.testing.kit import sending as kit
from djsms.types import MAX_PARTS

ROOT = Path(__file__).parents[1]
# where it is installed: the suite also runs on wheels, in a folder that lacks it
PACKAGE = Path(djsms.__file__).parent
WORDS = "no one two three four five six seven eight nine ten".split()  # noqa: SIM905


def word(number: int) -> str:
    return WORDS[number] if number < len(WORDS) else f"{number:,}"


def time(span: timedelta) -> str:
    """As a sentence says it: 15 minutes, a day, 7 days."""
    for unit, length in {"day": 86_400, "hour": 3_600, "minute": 60}.items():
        count, rest = divmod(span.total_seconds(), length)
        if count and not rest:
            return f"a {unit}" if count == 1 else f"{count:.0f} {unit}s"
    return f"{span.total_seconds():.0f} seconds"


def is_sender(value: str) -> bool:
    try:
        return bool(numbers.originator(value))
    except InvalidNumber:
        return False


def lengths(character: str) -> str:
    taken = [n for n in range(1, 40) if is_sender(character * n)]
    return f"{taken[0]} to {taken[-1]}"


def longest_name() -> int:
    return max(n for n in range(1, 40) if is_sender("a" * n))


def limits(text: str) -> tuple[int, int]:
    """What fits a single segment, and each of several."""
    return segments.split(text).limit, segments.split(text * 1000).limit


(GSM, GSM_JOINED), (UCS2, UCS2_JOINED) = limits("a"), limits("я")
MIB = f"{MAX_BODY / 2**20:g} MiB"
FAILURES = [status for status in Status if status.is_failure]
PARTS = conf.parts_timeout

FIGURES = [
    ("docs/operating.md", f"has not come back within {time(tidying.CALL_LIMIT)}"),
    ("docs/operating.md", f"turn to be sent has not come within {time(tidying.TURN_LIMIT)}"),
    ("docs/operating.md", f"are tried again, for {time(tidying.REPORT_LIMIT)}"),
    ("docs/operating.md", f"are deleted {time(erasure.REPEATED_FOR)} after they came"),
    ("docs/operating.md", f"up to {word(transactions.TRIES)} times"),
    ("docs/operating.md", f"times within {transactions.PATIENCE} seconds"),
    ("docs/incoming.md", f"(settings.md), {time(PARTS())}, what there is"),
    ("docs/settings.md", f"Default: {time(PARTS())}."),
    ("docs/settings.md", f"it has up to {ACCOUNT_LENGTH} letters"),
    ("docs/settings.md", f"larger than this, or than {MIB}"),
    ("docs/settings.md", f"a longer one is refused. Default: {MAX_PARTS}."),
    ("docs/webhooks.md", f"larger than {MIB}"),
    ("docs/webhooks.md", f"{addresses.TOKEN_BYTES * 8} bits made from"),
    ("docs/sending.md", f"up to {MAX_PARTS} [segments]"),
    ("docs/sending.md", f"A key is a text of 1 to {KEY_LENGTH} characters"),
    ("docs/sending.md", f"one segment holds {GSM} of them; a longer text gets {GSM_JOINED}"),
    ("docs/sending.md", f"makes it {UCS2} and {UCS2_JOINED} for the whole text"),
    ("docs/sending.md", f"- a short code, {lengths('1')} digits"),
    ("docs/sending.md", f"- a name of up to {longest_name()} characters"),
    ("docs/errors.md", f"`MAX_SEGMENTS`, at most {MAX_PARTS}"),
    ("docs/admin.md", f"shows the newest {search.LIMIT:,} that fit"),
    ("docs/admin.md", f"The list knows of {word(pages.AHEAD)} pages after"),
    ("docs/admin.md", f"texts that wait](queue.md), up to {cancelling.MOST:,} at a time"),
    ("docs/admin.md", f"up to {resending.MOST} at a time"),
    ("docs/admin.md", f"asks about up to {refreshing.MOST} of them"),
    ("docs/admin.md", f"fewer than {keeping.FEW:,} messages were made in {keeping.DAYS} days"),
    ("docs/admin.md", f"the hour of its text, up to {keeping.DAYS} days back"),
    ("djsms/templates/admin/djsms/dashboard.html", f"up to {keeping.DAYS} days back"),
    ("docs/status-reports.md", f"the {word(len(FAILURES))} failures"),
    ("docs/api.md", f"{TextMessage._meta.get_field('ref').max_length} hexadecimal characters"),
    (
        "docs/test-your-backend.md",
        f"{len(kit.TEXTS)} texts from plain ASCII to emoji and "
        f"{max(map(len, kit.TEXTS.values())):,} characters, with {len(kit.SENDERS)} kinds of "
        f"senders. {kit.THREADS} threads send at once",
    ),
    ("plugins/djsms-nexmo/README.md", f"{GSM} characters | {GSM_JOINED}"),
    ("plugins/djsms-nexmo/README.md", f"among them | {UCS2} | {UCS2_JOINED}"),
]


@pytest.mark.parametrize(("page", "words"), FIGURES)
def test_page(page: str, words: str) -> None:
    folder = PACKAGE.parent if page.startswith("djsms/") else ROOT
    assert words in " ".join((folder / page).read_text().split())


SAID_IN_CODE = [
    ("djsms.sending.now", f"a short code of {lengths('1')} digits"),
    ("djsms.sending.now", f"a name of up to {longest_name()} characters"),
    ("djsms.numbers", f"code of {lengths('1')} digits"),
    ("djsms.numbers", f"a name of up to {longest_name()} characters"),
    ("djsms.types", f"up to {longest_name()} characters"),
    ("djsms.accounts.addresses", f"{addresses.TOKEN_BYTES * 8} bits"),
    ("djsms.webhooks", f"nested more than {webhooks.MAX_DEPTH} deep"),
    ("djsms.segments", f"{GSM} septets or {UCS2} code units"),
    ("djsms.segments", f"{GSM_JOINED} septets or {UCS2_JOINED} code units"),
]


@pytest.mark.parametrize(("module", "words"), SAID_IN_CODE)
def test_docstring(module: str, words: str) -> None:
    assert words in " ".join(inspect.getsource(import_module(module)).split())


def test_every_task_of_tidying_is_told() -> None:
    section = page("operating.md").partition("## Tidy up")[2].partition("From code")[0]
    bullets = re.findall(r"^- ", section, re.M)
    assert len(bullets) == len(fields(tidying.Tidied))
    counts = re.findall(r"^ +\d+  \w", section_of("commands.md", "djsms tidy"), re.M)
    assert len(counts) == len(fields(tidying.Tidied))


def test_the_admin_says_how_much_a_search_shows() -> None:
    words = str(messages.TextMessageAdmin.search_help_text)
    assert words.endswith(f"Shows the newest {search.LIMIT:,}.")


def test_an_alias_may_be_as_long_as_its_column() -> None:
    assert conf.ALIAS.fullmatch("a" * ACCOUNT_LENGTH)
    assert not conf.ALIAS.fullmatch("a" * (ACCOUNT_LENGTH + 1))


def section_of(name: str, title: str) -> str:
    return page(name).partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


def options_of(distribution: str) -> list[tuple[str, inspect.Parameter]]:
    entries = metadata.distribution(distribution).entry_points.select(group="djsms.backends")
    classes = [entry.load() for entry in entries]
    return [item for cls in classes for item in inspect.signature(cls).parameters.items()]


def defaults() -> list[Any]:
    """The default of each option of a backend, where its README has a cell for it."""
    found = []
    for readme in sorted((ROOT / "plugins").glob("*/README.md")):
        for name, parameter in options_of(readme.parent.name):
            cell = re.search(rf"^\| `{name}` \| `([^`]+)` \|", readme.read_text(), re.M)
            # of a default that is made anew each time, the signature does not tell
            if cell and repr(parameter.default) != "<factory>":
                found.append(
                    pytest.param(cell[1], parameter.default, id=f"{readme.parent.name}-{name}")
                )
    return found


@pytest.mark.parametrize(("told", "default"), defaults())
def test_default_of_an_option(told: str, default: object) -> None:
    assert told == repr(default).replace("'", '"')
