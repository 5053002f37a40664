"""Start the shop's processes, place an order, and wait until its texts are sent."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import kombu
import psycopg

HERE = Path(__file__).parent
PATIENCE = 120
BROKER = os.environ.get("BROKER_URL", "amqp://guest:guest@127.0.0.1//")


def main() -> None:
    name = f"shop_{uuid.uuid4().hex[:12]}"
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "shop.settings",
        "POSTGRES_DB": name,
        "PYTHONPATH": str(HERE),
        "SMS_QUEUE": name,
    }
    processes: list[subprocess.Popen[bytes]] = []
    execute(f"CREATE DATABASE {name}")
    try:
        subprocess.run([sys.executable, str(HERE / "manage.py"), "migrate", "-v0"], check=True)
        subprocess.run(
            [sys.executable, str(HERE / "manage.py"), "check", "--fail-level", "ERROR"], check=True
        )
        processes += [
            start(str(HERE / "manage.py"), "runserver", "--noreload", str(port)),
            start("-m", "celery", "-A", "shop", "worker", "-Q", name, "--concurrency", "2"),
            start("-m", "celery", "-A", "shop", "beat", "--schedule", f"/tmp/{name}"),
        ]
        address = f"http://127.0.0.1:{port}/orders/"
        placed = call(address, b"phone=%2B447700900123")
        print(f"The text is {status_of(address, placed['ref'])}.")
        print(f"The one for later is {status_of(address, placed['later'])}.")
    finally:
        for process in processes:
            os.killpg(process.pid, signal.SIGTERM)
        for process in processes:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        execute(f"DROP DATABASE {name} WITH (FORCE)")
        with kombu.Connection(BROKER) as connection:
            kombu.Queue(name, channel=connection.default_channel).delete()
        for left in Path("/tmp").glob(f"{name}*"):
            left.unlink()


def status_of(address: str, ref: str) -> str:
    end = time.monotonic() + PATIENCE
    while (status := call(f"{address}{ref}/")["status"]) == "created":
        if time.monotonic() > end:
            raise SystemExit("The text is not sent.")
        time.sleep(0.5)
    return status


def start(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, *arguments], cwd=HERE, start_new_session=True)


def call(address: str, data: bytes | None = None) -> dict[str, str]:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with urlopen(address, data, timeout=30) as answer:
                found: dict[str, str] = json.load(answer)
                return found
        except URLError:
            # The web process is not there yet.
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


def execute(statement: str) -> None:
    with psycopg.connect(
        host=os.environ.get("POSTGRES_HOST", "127.0.0.1"),
        port=os.environ.get("POSTGRES_PORT", "5432"),
        user=os.environ.get("POSTGRES_USER", "postgres"),
        password=os.environ.get("POSTGRES_PASSWORD", ""),
        dbname="postgres",
        autocommit=True,
    ) as connection:
        connection.execute(statement.encode())


if __name__ == "__main__":
    main()
