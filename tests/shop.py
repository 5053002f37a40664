"""A small project on disk, and commands in it as a person types them: real processes."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from console import UNSET

SETTINGS = {
    "SECRET_KEY": "x",
    "USE_TZ": True,
    "INSTALLED_APPS": ["djsms"],
    "ROOT_URLCONF": "urls",
    "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "shop.sqlite3"}},
    "DJSMS_BACKEND": "file",
    "DJSMS_BASE_URL": "https://example.com",
}
MANAGE = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop_settings")
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
URLS = """
from django.urls import include, path
urlpatterns = [path("djsms/", include("djsms.urls"))]
"""


class Shop:
    """The project's folder. ``shell`` runs a line of it with ``djsms`` and ``manage.py`` found."""

    migrated = b""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.texts = folder / "texts"
        (folder / "manage.py").write_text(MANAGE)
        (folder / "urls.py").write_text(URLS)
        self.configure()

    def configure(self, *lines: str, **settings: Any) -> None:
        """Write the settings: the usual ones, those given, and further lines of Python."""
        values = SETTINGS | {"DJSMS_OPTIONS": {"path": str(self.texts)}} | settings
        written = [f"{name} = {value!r}" for name, value in values.items()]
        (self.folder / "shop_settings.py").write_text("\n".join([*written, *lines]))

    def migrate(self) -> None:
        """Make the tables; for the second shop of a run, as they were made for the first."""
        database = self.folder / "shop.sqlite3"
        if Shop.migrated:
            database.write_bytes(Shop.migrated)
            return
        run = self.shell("python manage.py migrate -v0")
        assert run.returncode == 0, run.stderr
        Shop.migrated = database.read_bytes()

    def shell(
        self, line: str, *, text: str | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", f"set -o pipefail; {line}"],
            cwd=self.folder,
            env=self.environment(**environment),
            input=text,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )

    def start(self, line: str, **streams: Any) -> subprocess.Popen[str]:
        """Begin a command, to be interrupted for instance; its output can be read on the way."""
        environment = self.environment()
        program, *arguments = shlex.split(line)
        found = shutil.which(program, path=environment["PATH"])
        assert found
        return subprocess.Popen(
            [found, *arguments], cwd=self.folder, env=environment, encoding="utf-8", **streams
        )

    def environment(self, **more: str) -> dict[str, str]:
        bare = {name: value for name, value in os.environ.items() if name not in UNSET}
        here = Path(sys.executable).parent
        return bare | {
            "PATH": f"{here}{os.pathsep}{bare.get('PATH', '')}",
            "PYTHONPATH": str(self.folder),
            "DJANGO_SETTINGS_MODULE": "shop_settings",
            **more,
        }
