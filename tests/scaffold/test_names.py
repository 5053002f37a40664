"""The names of a new backend, and those that it cannot have."""

import pytest

from djsms.scaffold import InvalidName, Names


def test_all_names_follow_from_one() -> None:
    assert Names.of("acme-cloud") == Names(
        name="acme-cloud",
        distribution="djsms-acme-cloud",
        module="djsms_acme_cloud",
        slug="acme_cloud",
        class_stem="AcmeCloud",
        title="Acme Cloud",
        prefix="ACME_CLOUD_",
    )


@pytest.mark.parametrize("name", ["acme", "acme2", "acme_cloud", "a-b-c", "a1-2"])
def test_possible(name: str) -> None:
    names = Names.of(name)
    assert names.module.isidentifier()
    assert f"{names.class_stem}Backend".isidentifier()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Acme", "Would 'acme' do?"),
        ("Acme Cloud!", "Would 'acme-cloud' do?"),
        ("2fa", "Would 'fa' do?"),
        ("acme--cloud", "Would 'acme-cloud' do?"),
        ("-acme", "beginning with a letter"),
        ("", "beginning with a letter"),
        ("ä", "beginning with a letter"),
        ("../acme", "beginning with a letter"),
        ("acme\n", "beginning with a letter"),
        ("class", "has a meaning already"),
        ("djsms", "has a meaning already"),
        ("djsms-acme", "Give the name alone, 'acme'"),
        ("django-djsms-acme", "Give the name alone, 'acme'"),
        ("email", "EMAIL_TIMEOUT, which is a setting of Django's"),
    ],
)
def test_impossible(name: str, words: str) -> None:
    with pytest.raises(InvalidName) as caught:
        Names.of(name)
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["memory", "dummy"])
def test_taken(name: str) -> None:
    with pytest.raises(InvalidName, match=rf"a backend '{name}' already: django-simple-sms 2"):
        Names.of(name).require_free()


def test_taken_with_another_hyphen(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    from djsms.accounts import plugins

    other = EntryPoint("acme-cloud", "acme:Backend", plugins.GROUP)
    monkeypatch.setattr(plugins, "installed", lambda: [other])
    with pytest.raises(InvalidName, match="a backend 'acme-cloud' already"):
        Names.of("acme_cloud").require_free()


def test_module_in_the_way(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    from pathlib import Path

    (Path(str(tmp_path)) / "djsms_acme.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InvalidName, match="a module 'djsms_acme' already"):
        Names.of("acme").require_free()
