"""The webhook addresses: ``path("djsms/", include("djsms.urls"))``."""

from __future__ import annotations

from django.urls import path

from djsms.receiving import views

app_name = "djsms"

urlpatterns = [
    path("callback/", views.callback, name="callback"),
    path("callback/<str:account>/", views.callback, name="callback"),
    path("callback/<str:account>/<str:token>/", views.callback, name="callback"),
    path("incoming/", views.incoming, name="incoming"),
    path("incoming/<str:account>/", views.incoming, name="incoming"),
    path("incoming/<str:account>/<str:token>/", views.incoming, name="incoming"),
]
