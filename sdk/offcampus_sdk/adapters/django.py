"""A receiver as a Django view: `path("webhooks", django_view(receiver))`. Needs Django, which the SDK does not."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from offcampus_sdk.adapters import reply_to
from offcampus_sdk.webhooks import Receiver


def django_view(receiver: Receiver) -> Callable[[HttpRequest], HttpResponse]:
    """The view; exempt from the CSRF token, since the platform signs what it sends."""

    def receive_webhook(request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return HttpResponse(status=405, headers={"Allow": "POST"})
        reply = reply_to(receiver, dict(request.headers.items()), request.body)
        return HttpResponse(status=reply.status)

    return csrf_exempt(receive_webhook)  # type: ignore[no-any-return,unused-ignore]
