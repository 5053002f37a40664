# so that the web process has the app too
from shop.celery import app as celery_app

__all__ = ["celery_app"]
