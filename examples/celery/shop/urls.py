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
    """Take an order; its text is stored with it, or not at all."""
    message = enqueue_text("We have your order.", None, request.POST["phone"])
    return JsonResponse({"ref": message.ref})


def status(request: HttpRequest, ref: str) -> JsonResponse:
    return JsonResponse({"status": TextMessage.objects.get(ref=ref).status})


urlpatterns = [
    path("orders/", order),
    path("orders/<str:ref>/", status),
    path("djsms/", include("djsms.urls")),
]
