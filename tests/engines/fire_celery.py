"""The Celery app of the processes under fire, with a queue of the test's own."""

import os

from celery import Celery

app = Celery("fire", broker=os.environ.get("DJSMS_TEST_BROKER", "memory://"))
app.conf.task_default_queue = os.environ.get("DJSMS_TEST_QUEUE", "celery")
if app.conf.broker_url.startswith("redis"):
    app.conf.broker_transport_options = {"socket_connect_timeout": 2, "socket_timeout": 5}
app.conf.broker_connection_retry_on_startup = True
app.conf.worker_cancel_long_running_tasks_on_connection_loss = False
app.autodiscover_tasks(["djsms_celery"])
