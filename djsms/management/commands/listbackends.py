"""``manage.py listbackends``: short for ``manage.py djsms listbackends``."""

from __future__ import annotations

from djsms.cli.listbackends import Command

__all__ = ["Command"]
