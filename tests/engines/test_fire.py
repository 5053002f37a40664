"""Engines under fire: their workers are killed while they send, their broker fails.

A provider's server outside of all of them counts. No text is called for twice; each ends as taken,
or, if a process died in its call, as unknown.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import NoReturn

import distributions
import kombu
import pytest
from cables import Cable
from django.utils import timezone

from djsms.models import TextMessage
from djsms.tidying import tidy

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import brokers  # noqa: E402
from brokers import Redis  # noqa: E402
from operators import BACKEND, PATIENCE, Operator  # noqa: E402

sys.path.remove(str(HERE))

pytestmark = [
    pytest.mark.django_db(databases="__all__", transaction=True),
    # they share brokers, and two cores
    pytest.mark.xdist_group("fire"),
]

RABBITMQ = 5672
STALL = 30  # seconds, more than a sweep and a drain take to begin


@dataclass(frozen=True, kw_only=True)
class Kind:
    engine: str
    command: tuple[str, ...]
    threads: int
    """How many calls one worker makes at a time, and so how many outcomes its death may cost."""
    broker: str = ""
    broker_port: int = 0
    """Of a broker that is there already; else the test starts a Redis."""
    tasks: str = "django_tasks_db.DatabaseBackend"
    """The backend of Django's tasks."""


def celery(pool: str) -> tuple[str, ...]:
    return (
        *("-m", "celery", "-A", "fire_celery", "worker", "--pool", pool, "--concurrency", "2"),
        *("--loglevel", "WARNING", "--without-gossip", "--without-mingle"),
    )


KINDS = {
    "celery-rabbitmq-prefork": Kind(
        engine="celery",
        command=celery("prefork"),
        threads=2,
        broker="amqp://guest:guest@127.0.0.1:{port}//",
        broker_port=RABBITMQ,
    ),
    "celery-redis-threads": Kind(
        engine="celery",
        command=celery("threads"),
        threads=2,
        broker="redis://127.0.0.1:{port}/0",
    ),
    "tasks-db": Kind(
        engine="tasks",
        command=("-m", "django", "db_worker", "--interval", "0.2", "--no-startup-delay"),
        threads=1,
    ),
    "tasks-rq": Kind(
        engine="tasks",
        command=("-m", "django", "rqworker", "--job-class", "django_tasks_rq.Job"),
        threads=1,
        broker="redis://127.0.0.1:{port}/0",
        tasks="django_tasks_rq.RQBackend",
    ),
}
# its workers start a process for each task
QUICK = [name for name in KINDS if name != "tasks-rq"]


@dataclass
class Fire:
    """The processes under fire."""

    kind: Kind
    folder: Path
    environment: dict[str, str]
    operator: Operator
    broker: Cable | Redis | None
    workers: list[subprocess.Popen[str]] = field(default_factory=list)
    web: subprocess.Popen[str] | None = None
    kills: int = 0
    cuts: int = 0
    revived: int = 0
    """How often workers were restarted because they did nothing."""

    def store(self, count: int) -> None:
        self.web = self._start(str(HERE / "fire_web.py"), str(count), talks=True)
        self._expect("ready")
        for _ in range(2):
            self.start_worker()
        assert self.web.stdin
        self.web.stdin.write("\n")
        self.web.stdin.flush()

    def start_worker(self) -> None:
        self.workers.append(self._start(*self.kind.command))

    def kill_worker(self) -> None:
        """Kill the worker that lived longest, with all its processes, and start another."""
        worker = self.workers.pop(0)
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        self.kills += self.kind.threads
        self.start_worker()

    def kill_child(self) -> None:
        """Kill a process of a pool alone, if the worker has any; Celery replaces it."""
        parent = self.workers[0].pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        if children:
            os.kill(int(children[0]), signal.SIGKILL)
            self.kills += 1

    def has_called(self, times: int) -> bool:
        return self.operator.calls.total() >= times

    def cut(self) -> None:
        """Take the broker away for a moment."""
        assert self.broker
        self.broker.cut()
        self.cuts += 1

    def wait_until(self, is_reached: Callable[[], bool]) -> None:
        """Wait, and restart workers that do nothing, if their Redis was restarted before.

        A worker of Celery's may then stop consuming without a word. Whoever watches the age of the
        queue restarts it.
        """
        end = time.monotonic() + PATIENCE
        calls, since = -1, 0.0
        while not is_reached():
            now = time.monotonic()
            if calls != self.operator.calls.total():
                calls, since = self.operator.calls.total(), now
            if now - since > STALL and isinstance(self.broker, Redis) and self.revived < self.cuts:
                self.revived += 1
                for _ in range(len(self.workers)):
                    self.kill_worker()
                since = now
            if now > end:
                self.dump()
                pytest.fail(self.logs())
            time.sleep(0.05)

    def stop(self) -> None:
        for process in [*self.workers, *filter(None, [self.web])]:
            process.send_signal(signal.SIGTERM)
        self.end()

    def end(self) -> None:
        for process in [*self.workers, *filter(None, [self.web])]:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            for pipe in filter(None, [process.stdin, process.stdout]):
                pipe.close()
        self.workers, self.web = [], None

    def dump(self) -> None:
        """Have Celery's workers write what each of their threads is doing."""
        if self.kind.engine == "celery":
            for worker in self.workers:
                worker.send_signal(signal.SIGUSR1)
            time.sleep(2)

    def logs(self) -> str:
        return "\n".join(path.read_text()[-9000:] for path in sorted(self.folder.glob("*.log")))

    def _start(self, *arguments: str, talks: bool = False) -> subprocess.Popen[str]:
        with (self.folder / f"{len(list(self.folder.glob('*.log')))}.log").open("w") as log:
            return subprocess.Popen(
                [sys.executable, *arguments],
                env=self.environment,
                stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
                stdout=subprocess.PIPE if talks else log,
                stderr=log,
                text=True,
                start_new_session=True,
            )

    def _expect(self, word: str) -> None:
        assert self.web
        assert self.web.stdout
        assert self.web.stdout.readline().strip() == word, self.logs()


def broker_of(kind: Kind, folder: Path) -> Cable | Redis | None:
    """Return the broker: one that is there, by a cable that can be cut, or one to be restarted."""
    if kind.broker_port:
        try:
            socket.create_connection(("127.0.0.1", kind.broker_port), timeout=2).close()
        except OSError as error:
            lacking(f"no broker on 127.0.0.1:{kind.broker_port}: {error}")
        return Cable(kind.broker_port)
    if kind.broker:
        if brokers.PROGRAM is None:
            lacking("no redis-server on the path")
        return Redis(folder)
    return None


def lacking(reason: str) -> NoReturn:
    if os.environ.get("DJSMS_TEST_REQUIRE_LIVE"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def delete_queue(kind: Kind, name: str) -> None:
    """Leave nothing behind in a broker that others use too."""
    with kombu.Connection(kind.broker.format(port=kind.broker_port)) as connection:
        kombu.Queue(name, channel=connection.default_channel).delete()


@pytest.fixture
def fire(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    database: str,
    child_environment: dict[str, str],
) -> Iterator[Fire]:
    kind = KINDS[request.param]
    operator = Operator(seconds=0.01)
    broker = broker_of(kind, tmp_path)
    with distributions.folder(tmp_path / "site") as folder:
        folder.install({"acme": "acme_sms:Backend"}, {"acme_sms": BACKEND})
        environment = {
            **child_environment,
            "DJANGO_SETTINGS_MODULE": "fire_settings",
            "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent), str(folder.paths[0])]),
            "PYTHONUNBUFFERED": "1",
            "DJSMS_TEST_DATABASE": database,
            "DJSMS_TEST_PORT": str(operator.port),
            "DJSMS_TEST_ENGINE": kind.engine,
            "DJSMS_TEST_TASKS": kind.tasks,
            "DJSMS_TEST_BROKER": kind.broker.format(port=broker.port if broker else 0),
            "DJSMS_TEST_QUEUE": f"djsms-{uuid.uuid4().hex}",
        }
        # pytest's own plugins measure coverage where these are set
        logs = tmp_path / "logs"
        logs.mkdir()
        fire = Fire(kind, logs, environment, operator, broker)
        try:
            yield fire
        finally:
            for process in [*fire.workers, *filter(None, [fire.web])]:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
            fire.end()
            operator.close()
            if broker:
                broker.close()
            if kind.broker_port:
                delete_queue(kind, environment["DJSMS_TEST_QUEUE"])


def burn(fire: Fire, texts: int, kills: int) -> None:
    start = time.monotonic()
    fire.store(texts)
    step = max(1, texts // (kills + 2))
    for number in range(1, kills + 1):
        fire.wait_until(partial(fire.has_called, number * step))
        match number % 3:
            case 1:
                fire.kill_worker()
            case 2:
                fire.kill_child()
            case 0 if fire.broker:
                fire.cut()
            case _:
                fire.kill_worker()
    fire.wait_until(lambda: not TextMessage.objects.filter(due_on__isnull=False).exists())
    fire.stop()
    seconds = time.monotonic() - start

    # What the dead were calling for is given up, as tidying does after a while.
    TextMessage.objects.filter(status="created").update(
        attempted_on=timezone.now() - timedelta(hours=1)
    )
    tidy()
    statuses = Counter(TextMessage.objects.values_list("status", flat=True))
    print(
        f"{texts} texts, {fire.operator.calls.total()} calls, {dict(statuses)}, "
        f"{fire.kills} calls at risk, {fire.cuts} times no broker, "
        f"{fire.revived} times stuck, {seconds:.0f} s"
    )
    assert [ref for ref, calls in fire.operator.calls.items() if calls > 1] == []
    assert set(statuses) <= {"sending", "unknown"}
    assert statuses.total() == texts
    assert statuses["sending"] <= fire.operator.calls.total()
    assert statuses["unknown"] <= fire.kills


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("fire", QUICK, indirect=True)
def test_no_text_is_sent_twice_or_lost_when_workers_die(fire: Fire) -> None:
    burn(fire, texts=60, kills=2)


@pytest.mark.live
@pytest.mark.parametrize("fire", KINDS, indirect=True)
def test_no_text_is_sent_twice_or_lost_under_heavy_fire(fire: Fire) -> None:
    burn(fire, texts=int(os.environ.get("DJSMS_TEST_FIRE_TEXTS", "400")), kills=6)
