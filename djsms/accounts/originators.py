"""Whose an originator is: an account's own by its ``FROM``, or one that a caller named."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from djsms import conf, numbers

__all__ = ["is_own_originator"]


def is_own_originator(alias: str, originator: str) -> bool:
    """Return whether an account's ``FROM`` is this originator; False if it has none.

    False also for an account that the settings have lost.
    """
    try:
        frm = conf.account(alias).frm
    except ImproperlyConfigured:
        return False
    return bool(frm) and numbers.originator(frm) == originator
