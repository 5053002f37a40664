"""Who looks at the admin's pages, and what a page says."""

from __future__ import annotations

import re

from django.contrib.auth.models import Permission, User
from django.test import Client

__all__ = ["logged_in", "words"]


def logged_in(client: Client, *permissions: str) -> Client:
    """Log in staff who may do these things and no others."""
    user = User.objects.create_user("sam", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


def words(html: str) -> str:
    """Return what a page says, without its tags."""
    return " ".join(re.sub("<[^>]*>", " ", html).split())
