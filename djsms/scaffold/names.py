"""All names of a new backend, made of the one that its author gives."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from importlib.util import find_spec

from django.conf import global_settings

from djsms import conf
from djsms.accounts import plugins
from djsms.scaffold.choices import AUTH, WEBHOOKS

__all__ = ["InvalidName", "Names"]

NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
OPTIONS = (
    *(name for choice in (*AUTH.values(), *WEBHOOKS.values()) for name in choice.options),
    *("url", "timeout", "deadline", "pool_size"),
)
"""The options of the backends that the templates make."""


class InvalidName(ValueError):
    """No backend can have this name, or another one has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names of one backend: ``Names.of("acme-cloud")``."""

    name: str
    """The entry point's, and so the one that ``DJSMS_BACKEND`` says: ``acme-cloud``."""
    distribution: str
    """``djsms-acme-cloud``."""
    module: str
    """``djsms_acme_cloud``."""
    slug: str
    """``acme_cloud``, for files of tests."""
    class_stem: str
    """``AcmeCloud``: the class is ``AcmeCloudBackend``."""
    title: str
    """``Acme Cloud``, for sentences."""
    prefix: str
    """``ACME_CLOUD_``, of the settings."""

    @classmethod
    def of(cls, name: str) -> Names:
        """Return the names that follow from one; raise ``InvalidName`` if none can."""
        _require_valid(name)
        words = re.split(r"[-_]", name)
        slug = "_".join(words)
        return cls(
            name=name,
            distribution="-".join(["djsms", *words]),
            module=f"djsms_{slug}",
            slug=slug,
            class_stem="".join(word.capitalize() for word in words),
            title=" ".join(word.capitalize() for word in words),
            prefix=conf.flat_name(name, ""),
        )

    def require_free(self) -> None:
        """Raise ``InvalidName`` if something that is installed has the name already."""
        for entry in plugins.installed():
            if entry.name.replace("_", "-") == self.name.replace("_", "-"):
                raise InvalidName(
                    f"There is a backend {entry.name!r} already: {plugins.describe(entry)}."
                )
        if find_spec(self.module) is not None:
            raise InvalidName(f"There is a module {self.module!r} already.")


def _require_valid(name: str) -> None:
    bare = re.sub(r"^(django-)?djsms[-_]", "", name)
    if bare != name:
        raise InvalidName(f"Give the name alone, {bare!r}: the distribution is djsms-{bare}.")
    if not NAME.fullmatch(name):
        guess = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")
        hint = f" Would {guess!r} do?" if NAME.fullmatch(guess) else ""
        raise InvalidName(
            f"{name!r} is no name for a backend: use lower-case letters and digits, joined by "
            f"hyphens, beginning with a letter.{hint}"
        )
    if keyword.iskeyword(name.replace("-", "_")) or name == "djsms":
        raise InvalidName(f"{name!r} has a meaning already, so no backend can have that name.")
    for option in OPTIONS:
        setting = conf.flat_name(name, option)
        if hasattr(global_settings, setting):
            raise InvalidName(
                f"The option {option} of a backend {name!r} would be read from {setting}, which is "
                "a setting of Django's."
            )
