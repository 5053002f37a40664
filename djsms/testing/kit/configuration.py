"""Tests of the options and of the hooks: what is known before anything is sent."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Mapping, Set
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from djsms.testing.kit import hooks, network
from djsms.testing.kit.base import Kit, Make
from djsms.testing.kit.words import fail, require
from djsms.testing.provider import Provider

__all__ = ["Configuration"]

UNKNOWN = "no_such_option"

LIMITS: Mapping[str, tuple[Any, ...]] = {
    "timeout": (None, 0, -1, "soon", float("inf"), float("nan")),
    "deadline": (None, 0, -1, "soon", float("inf"), float("nan")),
    "pool_size": (None, 0, -1, "many"),
}
"""Options that must hold back, and what does not."""


class Configuration(Kit):
    """The backend as an object that is made of options and has hooks."""

    def test_unknown_option_is_refused(self, make: Make) -> None:
        try:
            make(**{UNKNOWN: "x"})
        except (TypeError, ImproperlyConfigured):
            return
        fail(
            f"The option {UNKNOWN!r} was accepted, and so would be every misspelt one. Name the "
            "options in the constructor, and take no **kwargs."
        )

    def test_missing_option_is_refused(self, factory: Any, options: Mapping[str, Any]) -> None:
        missing = [name for name in _required(factory) if name not in options]
        require(not missing, f"The fixture options lacks {hooks.joined(missing)}.")
        for name in _required(factory):
            try:
                factory(**{key: value for key, value in options.items() if key != name})
            except (TypeError, ImproperlyConfigured) as error:
                require(
                    name in str(error),
                    f"The refusal does not name the missing option {name!r}: {error}",
                )
            else:
                fail(f"The option {name!r} has no default, yet it is not missed.")

    def test_made_twice_from_the_same_options(self, make: Make, options: Mapping[str, Any]) -> None:
        before = dict(options)
        first, second = make(), make()
        require(
            first is not second,
            "Made twice, the backend is the same object: accounts would share their options.",
        )
        require(dict(options) == before, "The constructor changes the options that it is given.")

    def test_constructor_needs_no_network(self, make: Make, provider: Provider) -> None:
        with network.refused(loopback=True) as attempts, contextlib.suppress(OSError):
            backend = make()
            # What Django's checks and the views look at.
            getattr(backend, "verifies_webhooks", False)
        require(
            not attempts and not provider.requests,
            f"The constructor reached for {hooks.joined(attempts)}. An account is made whenever "
            "anything looks at it, also where there is no network: fetch what you need in send().",
        )

    @pytest.mark.parametrize("limit", LIMITS)
    def test_limits_are_required(
        self, factory: Any, make: Make, options: Mapping[str, Any], limit: str
    ) -> None:
        if limit not in inspect.signature(factory).parameters:
            pytest.skip(f"{self.name} has no option {limit}")
        for wrong in LIMITS[limit]:
            try:
                make(**{limit: wrong})
            except (TypeError, ValueError, ImproperlyConfigured):
                continue
            fail(
                f"The option {limit} takes {wrong!r}, and then a call waits for ever, or fails "
                "when the first text is sent: raise InvalidOptions from the constructor. If your "
                "class has a __post_init__ of its own, it must call super().__post_init__()."
            )

    def test_hooks_are_known(self, backend: Any) -> None:
        found = hooks.implemented(backend)
        require(found, "The backend implements no hook: mark its methods with @djsms.hookimpl.")
        for name in found:
            require(
                name in hooks.SPECS,
                f"There is no hook {name!r}, so it would never be called; "
                f"there are {hooks.joined(hooks.SPECS)}.",
            )

    @pytest.mark.parametrize("hook", hooks.SPECS)
    def test_hook_is_written(self, backend: Any, hook: str) -> None:
        method = hooks.implemented(backend).get(hook)
        if method is None:
            pytest.skip(f"{self.name} does not implement {hook}()")
        require(
            hooks.is_written(method),
            f"Write {hook}(), or take it out if the provider has no such thing. Until then all "
            "other tests of it are skipped.",
        )

    def test_hooks_take_the_specified_arguments(self, backend: Any) -> None:
        for name, method in _known(backend).items():
            wanted = inspect.signature(hooks.SPECS[name]).parameters
            for argument in inspect.signature(method).parameters.values():
                require(
                    argument.name in wanted,
                    f"{name}() takes {argument.name!r}, which is none of its arguments: "
                    f"{hooks.joined(wanted)}.",
                )
                require(
                    argument.kind is argument.POSITIONAL_OR_KEYWORD
                    and argument.default is argument.empty,
                    f"{name}() must take {argument.name!r} as a plain argument: hooks are called "
                    "by position, so no *, no / and no default.",
                )

    def test_hooks_are_annotated_as_specified(self, backend: Any) -> None:
        for name, method in _known(backend).items():
            wanted, given = hooks.types_of(hooks.SPECS[name]), hooks.types_of(method)
            for argument in [*inspect.signature(method).parameters, "return"]:
                if argument not in wanted:
                    continue
                place = f"what {name}() returns" if argument == "return" else f"{argument!r}"
                require(
                    argument in given,
                    f"Annotate {place} in {name}(): {hooks.readable(wanted[argument])}.",
                )
                require(
                    hooks.same_type(given[argument], wanted[argument]),
                    f"In {name}(), {place} is annotated {hooks.readable(given[argument])}; the "
                    f"specification says {hooks.readable(wanted[argument])}.",
                )

    def test_verifies_webhooks_is_yes_or_no(self, backend: Any) -> None:
        verifies = getattr(backend, "verifies_webhooks", False)
        require(
            isinstance(verifies, bool | Set),
            f"verifies_webhooks is {type(verifies).__name__}; it takes True, False or a set of "
            "names of hooks. Is @property missing?",
        )
        if isinstance(verifies, Set):
            unknown = ", ".join(sorted(map(str, verifies - {"parse_callback", "parse_incoming"})))
            require(
                not unknown,
                f"verifies_webhooks names {unknown}; the hooks that read requests are "
                "parse_callback and parse_incoming.",
            )


def _required(factory: Any) -> list[str]:
    return [
        name
        for name, parameter in inspect.signature(factory).parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    ]


def _known(backend: Any) -> dict[str, Any]:
    return {
        name: method for name, method in hooks.implemented(backend).items() if name in hooks.SPECS
    }
