"""Authorizations that are none, or say more than was signed."""

import base64
import time
from typing import Any
from uuid import UUID

import orjson
from jose import jwt

from tests.conftest import SECRET, token
from tests.hostile.requests import Hostile, Raw, raw

MINE = UUID(int=7)
VIEWER = orjson.dumps({"query": "{ viewer { email } generations { edges { node { prompt } } } }"})


def _part(value: object) -> str:
    text = value if isinstance(value, bytes) else orjson.dumps(value)
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _claims(**changes: Any) -> dict[str, Any]:
    usual = {"sub": str(MINE), "aud": "authenticated", "role": "authenticated", "exp": int(time.time()) + 3600}
    return {**usual, **changes}


def _unsigned(header: object, **changes: Any) -> str:
    return f"{_part(header)}.{_part(_claims(**changes))}."


def _signed(name: str, algorithm: str = "HS256", secret: str = SECRET, **changes: Any) -> Hostile:
    return _bearer(name, jwt.encode(_claims(**changes), secret, algorithm=algorithm))


def _bearer(name: str, text: str) -> Hostile:
    return Hostile(name, VIEWER, token=text)


def _said(name: str, authorization: str) -> Hostile:
    return Hostile(name, VIEWER, {"Content-Type": "application/json", "Authorization": authorization})


GOOD = token(MINE)
HEAD, BODY, SIGNATURE = GOOD.split(".")
REQUESTS: list[Hostile | Raw] = [
    _said("nothing", ""),
    _said("one word", "Bearer"),
    _said("a blank", "Bearer  "),
    _said("two words", "Bearer a b"),
    _said("another scheme", "Basic YWRtaW46YWRtaW4="),
    _said("no scheme", GOOD),
    _said("null", "Bearer null"),
    _said("undefined", "Bearer undefined"),
    _said("SQL", "Bearer ' or 1=1 --"),
    _bearer("one part", "a"),
    _bearer("two parts", "a.b"),
    _bearer("four parts", "a.b.c.d"),
    _bearer("empty parts", ".."),
    _bearer("60,000 characters", "a" * 60_000),
    _bearer("17,000 characters in three parts", f"{'a' * 17_000}.b.c"),
    _bearer("parts that are no base64", "!!!.???.***"),
    _bearer("parts that are no JSON", f"{_part(b'{')}.{_part(b'}')}.{_part(b'a')}"),
    _bearer("a header that is an array", f"{_part([])}.{BODY}.{SIGNATURE}"),
    _bearer("a header that is deep", f"{_part(b'[' * 5000)}.{BODY}.{SIGNATURE}"),
    _bearer("a body that is null", f"{HEAD}.{_part(None)}.{SIGNATURE}"),
    _bearer("no signature", f"{HEAD}.{BODY}."),
    _bearer("another signature", f"{HEAD}.{BODY}.{SIGNATURE[::-1]}"),
    _bearer("half a signature", f"{HEAD}.{BODY}.{SIGNATURE[:10]}"),
    _bearer("another body", f"{HEAD}.{_part(_claims(sub=str(UUID(int=8))))}.{SIGNATURE}"),
    _bearer("no algorithm", _unsigned({"typ": "JWT"})),
    _bearer("algorithm none", _unsigned({"alg": "none", "typ": "JWT"})),
    _bearer("algorithm nOnE", _unsigned({"alg": "nOnE"})),
    _bearer("algorithm of a number", _unsigned({"alg": 5})),
    _bearer("algorithm of an array", _unsigned({"alg": ["none", "HS256"]})),
    _bearer("an algorithm that is none", _unsigned({"alg": "HS1"})),
    _bearer("a key by its address", _unsigned({"alg": "RS256", "jku": "http://127.0.0.1:1/jwks", "kid": "a"})),
    _bearer("a key of its own", _unsigned({"alg": "RS256", "jwk": {"kty": "oct", "k": "a"}})),
    _bearer("a key above", _unsigned({"alg": "HS256", "kid": "../../../../dev/null"})),
    _bearer("a key by SQL", _unsigned({"alg": "HS256", "kid": "' union select 'a' --"})),
    _bearer("a key of an object", _unsigned({"alg": "ES256", "kid": {"a": 1}})),
    _signed("another secret", secret="secret"),
    _signed("no secret", secret=""),
    _signed("another algorithm", "HS512"),
    _signed("an end that was", exp=1),
    _signed("an end that is a text", exp="tomorrow"),
    _signed("an end that is true", exp=True),
    _signed("an end that is null", exp=None),
    _signed("an end after all ends", exp=10**30),
    _signed("a beginning to come", nbf=int(time.time()) + 9999),
    _signed("a beginning that is a text", nbf="never"),
    _signed("another audience", aud="admins"),
    _signed("no audience", aud=None),
    _signed("an audience of objects", aud=[{}]),
    _signed("nobody", sub=None),
    _signed("a subject that is no UUID", sub="alice"),
    _signed("a subject of a number", sub=5),
    _signed("a subject of SQL", sub="' or 1=1 --"),
    _signed("a subject in capitals", sub=str(MINE).replace("7", "a").upper()),
    _signed("a subject of 10,000 characters", sub="a" * 10_000),
    _signed("a role that Postgres has", role="postgres"),
    _signed("a role of SQL", role="authenticated; reset role"),
    _signed("a role of an object", role={"a": 1}),
    _signed("the role of a service, with a name", role="service_role2"),
    _signed("an admin by a text", app_metadata="admin"),
    _signed("an admin by the user's own", user_metadata={"role": "admin"}, app_metadata={"role": ["admin"]}),
    _signed("an email of an object", email={"a": "b"}),
    _signed("an email of 10,000 characters", email="a" * 10_000),
    _signed("an email with a null byte", email="a\0b"),
    raw("two tokens", f"POST /graphql HTTP/1.1\nHost: {{host}}\nContent-Type: application/json\nAuthorization: Bearer {GOOD}\nAuthorization: Bearer a\nContent-Length: {len(VIEWER)}", VIEWER),
]  # fmt: skip
