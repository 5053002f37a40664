"""The URLconf of the demo: what a project adds to its own."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("djsms/", include("djsms.urls"))]
