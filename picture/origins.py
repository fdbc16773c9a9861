"""Who may ask from where: requests that another site's page makes a browser send, and names that are not ours.

A browser sends a *simple* request to any site without asking it first. So none runs anything: a POST is JSON, which is
not simple, and a GET carries one header that a browser does not add by itself.
"""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from picture.refusals import JSON, RefusedError
from picture.settings import Settings

ASKED_FIRST = (
    "authorization",
    "graphql-preflight",
    "apollo-require-preflight",
    "x-apollo-operation-name",
    "x-picture-cost",
    "x-request-id",
)
NEVER_ASKED = ("no-cors", "navigate")
CROSSING = ("cross-site", "same-site")


def check_simple(method: str, headers: Headers) -> None:
    """Raise RefusedError for what a page of another site can send without its browser asking here first."""
    crosses = headers.get("sec-fetch-site") in CROSSING and headers.get("sec-fetch-mode") in NEVER_ASKED
    if crosses or (method == "GET" and not _is_asked_first(headers)):
        said = "Send a POST of JSON, or add the header `GraphQL-Preflight: 1`"
        raise RefusedError(403, f"A page of another site could have sent this. {said}.")


def _is_asked_first(headers: Headers) -> bool:
    if any(headers.get(name) for name in ASKED_FIRST):
        return True
    return headers.get("content-type", "").partition(";")[0].strip().lower() == JSON


class Hosts:
    """The names under which the API may be asked: a page whose name was pointed here (DNS rebinding) has another."""

    def __init__(self, names: frozenset[str] | None, *, loopback: bool = False) -> None:
        self._names = names
        self._loopback = loopback

    @classmethod
    def of(cls, settings: Settings) -> "Hosts":
        """Those of the settings; when there are none, loopback's where the API listens there, and else all."""
        loopback = is_loopback(settings.host)
        if "*" in settings.allowed_hosts or not (settings.allowed_hosts or loopback):
            return cls(None)
        own = urlsplit(settings.public_url).hostname or ""
        return cls(frozenset({own, *(name.lower() for name in settings.allowed_hosts)}), loopback=loopback)

    def check(self, headers: Mapping[str, str]) -> None:
        """Raise RefusedError for a Host that is not ours."""
        if self._names is None:
            return
        name = _name(headers.get("host", ""))
        if name not in self._names and not (self._loopback and is_loopback(name)):
            raise RefusedError(421, "This is not the API of that name; PICTURE_ALLOWED_HOSTS lists those that it has.")


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether this names the machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
