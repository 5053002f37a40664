"""The webhook addresses: ``path("djsms/", include("djsms.urls"))``."""

from __future__ import annotations

from django.urls import path, re_path

from djsms.receiving import views

app_name = "djsms"

urlpatterns = [
    path("callback/", views.callback, name="callback"),
    path("callback/<str:account>/", views.callback, name="callback"),
    path("callback/<str:account>/<str:token>/", views.callback, name="callback"),
    path("incoming/", views.incoming, name="incoming"),
    path("incoming/<str:account>/", views.incoming, name="incoming"),
    path("incoming/<str:account>/<str:token>/", views.incoming, name="incoming"),
    # Addresses are pasted by hand, and lose their last slash or get another one. A redirect would
    # cost the body of a POST. Without a name, so that what is printed keeps its one slash.
    re_path(r"^callback(?:/(?P<account>[^/]+)(?:/(?P<token>[^/]+))?)?/*\Z", views.callback),
    re_path(r"^incoming(?:/(?P<account>[^/]+)(?:/(?P<token>[^/]+))?)?/*\Z", views.incoming),
]
