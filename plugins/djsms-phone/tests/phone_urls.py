"""The URLconf of the tests: what a project adds to its own."""

from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import include, path


def enter(request: HttpRequest) -> HttpResponse:
    """Log in and go on, for a browser that types no password."""
    login(request, User.objects.get(username="root"))
    return redirect(request.GET["next"])


urlpatterns = [
    path("djsms/", include("djsms.urls")),
    path("phone/", include("djsms_phone.urls")),
    path("enter/", enter),
]
