from datetime import timedelta

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from djsms import enqueue_text
from djsms.models import TextMessage


@csrf_exempt
@require_POST
@transaction.atomic
def order(request: HttpRequest) -> JsonResponse:
    """Take an order; its texts are stored with it, or not at all."""
    phone = request.POST["phone"]
    thanks = enqueue_text("We have your order.", None, phone)
    # Nobody commits at that moment: it goes with the sweep.
    later = enqueue_text("How do you like it?", None, phone, run_after=timedelta(seconds=5))
    return JsonResponse({"ref": thanks.ref, "later": later.ref})


def status(request: HttpRequest, ref: str) -> JsonResponse:
    return JsonResponse({"status": TextMessage.objects.get(ref=ref).status})


urlpatterns = [
    path("orders/", order),
    path("orders/<str:ref>/", status),
    path("djsms/", include("djsms.urls")),
]
