"""Time ``django.setup()`` with and without djsms, each time in a process of its own.

    python benchmarks/bench_startup.py

Processor time counts neither Python's own start nor waiting. The processes take turns, and the
fastest of each counts: it is the one least disturbed.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

ROUNDS = 20

CHILD = """
import sys, time
start = time.process_time()
import django
from django.conf import settings
settings.configure(INSTALLED_APPS=sys.argv[1].split(), USE_TZ=True)
django.setup()
spent = time.process_time() - start
heavy = {"requests", "urllib3", "phonenumbers", "rich", "importlib.metadata"} & set(sys.modules)
print(spent * 1000, len(sys.modules), *sorted(heavy))
"""

BARE = "django.contrib.contenttypes django.contrib.auth"
ADMIN = f"{BARE} django.contrib.messages django.contrib.sessions django.contrib.admin"
PROJECTS = {
    "no admin": (BARE, f"{BARE} djsms"),
    "with the admin": (ADMIN, f"{ADMIN} djsms"),
}


def setup(apps: str) -> tuple[float, int, list[str]]:
    """Return milliseconds, the number of modules imported, and those that should not be."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, apps], check=True, capture_output=True, text=True
    )
    spent, modules, *heavy = done.stdout.split()
    return float(spent), int(modules), heavy


def main() -> None:
    print(f"django.setup(), ms of processor time, fastest (median) of {ROUNDS} processes each")
    print(f"{'':<18}{'without':>16}{'with djsms':>16}{'more':>8}{'ratio':>7}  modules")
    for name, (without, with_djsms) in PROJECTS.items():
        setup(with_djsms)  # writes the byte code, if it is not there
        rounds = [(setup(without), setup(with_djsms)) for _ in range(ROUNDS)]
        before, after = ([run[side][0] for run in rounds] for side in (0, 1))
        modules = rounds[0][1][1] - rounds[0][0][1]
        print(
            f"{name:<18}"
            f"{min(before):>8.1f} ({statistics.median(before):.1f})"
            f"{min(after):>8.1f} ({statistics.median(after):.1f})"
            f"{min(after) - min(before):>8.1f}{min(after) / min(before):>7.2f}  +{modules}"
        )
        print(f"{'':<18}heavy modules with djsms: {', '.join(rounds[0][1][2]) or 'none'}")


if __name__ == "__main__":
    main()
