"""The page speaks French and German: every word of it is there, and compiled as it is written."""

from __future__ import annotations

import ast
import gettext
import io
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import djsms_phone
import pytest
from django.test import Client
from django.utils.translation.template import templatize
from djsms import send_text
from djsms_phone.models import Handset

PACKAGE = Path(djsms_phone.__file__).parent
LANGUAGES = ("de", "fr")
MARKERS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"}


def catalogue(language: str, ending: str) -> Path:
    return PACKAGE / "locale" / language / "LC_MESSAGES" / f"django.{ending}"


def messages() -> set[str]:
    """Every text that is marked for translation, in code and in templates."""
    sources = [path.read_text() for path in PACKAGE.glob("*.py")]
    sources += [_as_python(path.read_text()) for path in PACKAGE.glob("templates/**/*.html")]
    return {message for source in sources for message in _marked(source)}


def _as_python(template: str) -> str:
    # What is no call of gettext is blotted out with letters.
    calls = re.findall(
        r"gettext\(u?(?:'.*?'|\"\"\".*?\"\"\"|\".*?\")\)", templatize(template), re.S
    )
    return "\n".join(calls)


def _marked(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in MARKERS:
            for argument in node.args[: 2 if "ngettext" in getattr(node.func, "id", "") else 1]:
                assert isinstance(argument, ast.Constant), ast.dump(node)
                yield str(argument.value)


def test_the_words_are_found() -> None:
    assert {"Search numbers and texts", "Carrier rejects", "%d segments", "From %(frm)s,"} < (
        messages()
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_left_untranslated(language: str) -> None:
    with catalogue(language, "mo").open("rb") as compiled:
        known: dict[Any, str] = gettext.GNUTranslations(compiled)._catalog  # type: ignore[attr-defined]
    translated = {key[0] if isinstance(key, tuple) else key for key, text in known.items() if text}
    # the forms for many are kept under the word for one
    wanted = messages() - {"%d segments"}
    assert wanted - translated == set()
    assert translated - wanted == {""}


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_a_guess(language: str) -> None:
    assert "fuzzy" not in catalogue(language, "po").read_text()


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    program = shutil.which("msgfmt")
    if program is None:
        pytest.skip("no msgfmt")
    command = [program, "--no-hash", "-o", "-", str(catalogue(language, "po"))]
    fresh = subprocess.run(command, check=True, capture_output=True).stdout
    written = gettext.GNUTranslations(io.BytesIO(fresh))._catalog  # type: ignore[attr-defined]
    with catalogue(language, "mo").open("rb") as compiled:
        assert gettext.GNUTranslations(compiled)._catalog == written  # type: ignore[attr-defined]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de", ["Telefone", "wird gesendet", "1 Segment"]),
        ("fr", ["Téléphones", "en cours d’envoi"]),
    ],
)
def test_the_page_is_in_the_language_of_the_project(
    language: str, words: list[str], settings: Any
) -> None:
    settings.LANGUAGE_CODE = language
    settings.DEBUG = True
    send_text("Hi", "+447700900100", "+447700900123", False)
    page = Client().get(f"/phone/h/{Handset.objects.get().pk}/").content.decode()
    assert f'<html lang="{language}"' in page
    for word in words:
        assert word in page
