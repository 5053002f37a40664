"""The colours of the admin's pages can be told from their ground, in the light and the dark."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

WORDS = ("plain", "way", "good", "in", "unsure", "bad")
SIGNS = ("good", "bad", "unsure", "way", "line")
# the page and its darkened parts, as Django's admin has them
GROUNDS = {"light": ("#ffffff", "#f8f8f8"), "dark": ("#121212", "#212121")}


def colours(theme: str) -> dict[str, str]:
    file = finders.find("djsms/admin.css")
    assert isinstance(file, str)
    block = Path(file).read_text().split(f'html[data-theme="{theme}"]', 1)[1].split("}", 1)[0]
    return dict(re.findall(r"--djsms-([\w-]+): (#[0-9a-f]{6});", block))


def luminance(colour: str) -> float:
    """By the formula of WCAG 2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", GROUNDS)
@pytest.mark.parametrize("name", WORDS)
def test_words_on_a_status(theme: str, name: str) -> None:
    found = colours(theme)
    assert contrast(found[f"{name}-fg"], found[f"{name}-bg"]) >= 4.5


@pytest.mark.parametrize("theme", GROUNDS)
@pytest.mark.parametrize("name", SIGNS)
def test_bars_and_signs_on_the_page(theme: str, name: str) -> None:
    assert all(contrast(colours(theme)[name], ground) >= 3 for ground in GROUNDS[theme])


@pytest.mark.parametrize("name", WORDS)
def test_a_status_does_not_glare_in_the_dark(name: str) -> None:
    assert luminance(colours("dark")[f"{name}-bg"]) < 0.05


def test_the_dark_theme_is_the_same_by_choice_and_by_the_system() -> None:
    file = finders.find("djsms/admin.css")
    assert isinstance(file, str)
    chosen = Path(file).read_text().split("prefers-color-scheme: dark", 1)[1].split("}", 1)[0]
    assert dict(re.findall(r"--djsms-([\w-]+): (#[0-9a-f]{6});", chosen)) == colours("dark")
