"""German and French are complete: nothing is untranslated, doubtful or out of date."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from gettext import GNUTranslations
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation
from scripted import Provider

import djsms
from djsms import Status, enqueue_text, queue, send_text
from djsms.ledger.words import EXPLANATIONS, LABELS
from djsms.models import TextMessage
from djsms.sending.again import obstacle
from djsms.waiting import breaker, verdicts

HOUSE = Path(djsms.__file__).parent
LANGUAGES = ("de", "fr")

gettext = pytest.mark.skipif(
    not all(map(shutil.which, ("xgettext", "msgfmt", "msgattrib"))), reason="no GNU gettext"
)


def run(*command: str, cwd: Path) -> str:
    # without a project, whose settings this suite names
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DJANGO_")}
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The catalogues as they would be if they were made anew from the source."""
    root = tmp_path_factory.mktemp("source")
    shutil.copytree(HOUSE, root / "djsms", ignore=shutil.ignore_patterns("__pycache__"))
    languages = [option for language in LANGUAGES for option in ("-l", language)]
    run(
        *(sys.executable, "-m", "django", "makemessages", "--no-wrap", "--add-location", "file"),
        *languages,
        cwd=root,
    )
    return root / "djsms" / "locale"


@gettext
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("flaw", ["--untranslated", "--only-fuzzy", "--only-obsolete"])
def test_nothing_is_left_to_do(fresh: Path, language: str, flaw: str) -> None:
    catalogue = fresh / language / "LC_MESSAGES" / "django.po"
    found = run("msgattrib", flaw, "--no-wrap", str(catalogue), cwd=fresh)
    assert re.findall(r'^(?:#~ )?msgid ("..*")', found, re.M) == []


@gettext
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_written(tmp_path: Path, language: str) -> None:
    folder = HOUSE / "locale" / language / "LC_MESSAGES"
    made = tmp_path / "django.mo"
    run("msgfmt", "--check", "-o", str(made), str(folder / "django.po"), cwd=tmp_path)
    assert words_of(made) == words_of(folder / "django.mo")


def words_of(compiled: Path) -> dict[Any, str]:
    with compiled.open("rb") as file:
        return dict(vars(GNUTranslations(file))["_catalog"])


@pytest.mark.parametrize("status", Status)
def test_a_status_has_its_own_words_in_english(status: Status) -> None:
    with translation.override("en"):
        assert str(LABELS[status]) == status.value
        assert str(EXPLANATIONS[status]) == status.explanation


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("status", Status)
def test_a_status_is_explained_in_each_language(language: str, status: Status) -> None:
    with translation.override(language):
        assert str(EXPLANATIONS[status]) != status.explanation


IN_THE_ADMIN: dict[str, dict[str, list[str]]] = {
    "de": {
        "textmessage/": ["Textnachrichten", "unterwegs", "Nach Status", "Noch einmal senden"],
        "textmessage/{pk}/change/": ["vom Anbieter angenommen", "Was der Anbieter sagte", "Preis"],
        "gate/": ["Warteschlange", "1 Nachricht wartet", "Älteste fällig", "eilig"],
        "": ["Textnachrichten"],
    },
    "fr": {
        "textmessage/": ["textos", "en cours", "Par état", "Renvoyer"],
        "textmessage/{pk}/change/": ["accepté par le fournisseur", "Ce que le fournisseur a dit"],
        "gate/": ["File d’attente", "1 texto attend", "Plus ancien dû", "urgents"],
        "": ["Textos"],
    },
}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "page"), [(lang, page) for lang in LANGUAGES for page in IN_THE_ADMIN[lang]]
)
def test_the_admin_speaks_it(
    client: Client, provider: Provider, settings: Any, language: str, page: str
) -> None:
    settings.LANGUAGE_CODE = language
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
    client.force_login(User.objects.create_superuser("root"))
    message = send_text("Hello", "Acme", "+447700900123")
    enqueue_text("Hello", "Acme", "+447700900123", priority="urgent")
    response = client.get(f"/admin/djsms/{page.format(pk=message.pk)}")
    html = response.content.decode()
    assert [words for words in IN_THE_ADMIN[language][page] if words not in html] == []


def test_commands_speak_english_throughout(settings: Any, db: None) -> None:
    import io

    from django.core.management import call_command

    settings.LANGUAGE_CODE = "de"
    enqueue_text("Hello", "Acme", "+447700900123")
    out = io.StringIO()
    with translation.override("de"):
        call_command("djsms", "queue", stdout=out)
    assert "Nobody sends just now" in out.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("close", ["failed", "denied", "throttled"])
def test_why_an_account_closed_by_itself_is_told_in_it(language: str, close: str) -> None:
    message = TextMessage(ref="1")
    for number in range(breaker.FAILURES):
        message.ref = str(number)
        if close == "failed":
            breaker.failed("default", "Throttled", is_probe=False)
        elif close == "denied":
            breaker.denied("default", message, "InsufficientFunds", is_probe=False)
        else:
            breaker.throttled("default", 60)
    [account] = [a for a in queue.state().accounts if a.account == "default"]
    with translation.override("en"):
        english = verdicts.trouble(account)
    assert english == account.reason
    with translation.override(language):
        assert verdicts.trouble(account) != english


@pytest.mark.django_db
@pytest.mark.parametrize("language", LANGUAGES)
def test_why_somebody_paused_it_stays_in_their_words(language: str) -> None:
    queue.pause("default", "The provider is down.")
    [account] = [a for a in queue.state().accounts if a.account == "default"]
    with translation.override(language):
        assert verdicts.trouble(account) == "The provider is down."


@pytest.mark.parametrize("language", LANGUAGES)
def test_why_a_message_is_not_to_be_sent_again_is_told_in_it(language: str) -> None:
    message = TextMessage(direction="incoming")
    with translation.override("en"):
        english = obstacle(message)
    with translation.override(language):
        assert obstacle(message) not in ("", english)
