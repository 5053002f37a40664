"""The page and what its script asks for: ``path("phone/", include("djsms_phone.urls"))``."""

from __future__ import annotations

from django.urls import path

from djsms_phone import views

app_name = "djsms_phone"

urlpatterns = [
    path("", views.page, name="page"),
    # No number stands in an address: those end in logs and in the browser's history.
    path("h/<int:pk>/", views.page, name="handset"),
    path("h/<int:pk>/texts/", views.older, name="older"),
    path("h/<int:pk>/reply/", views.write, name="reply"),
    path("h/<int:pk>/read/", views.read, name="read"),
    path("h/<int:pk>/network/", views.switch, name="switch"),
    path("network/", views.switch_all, name="switch_all"),
    path("phones/", views.phones, name="phones"),
    path("text/<str:ref>/", views.text, name="text"),
    path("changes/", views.changes, name="changes"),
    path("take/", views.take, name="take"),
]
