"""The URLconf of the project that ``djsms phone`` runs: what a project adds to its own."""

from __future__ import annotations

from django.urls import include, path
from django.views.generic import RedirectView

__all__ = ["urlpatterns"]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="djsms_phone:page")),
    path("djsms/", include("djsms.urls")),
    path("phone/", include("djsms_phone.urls")),
]
