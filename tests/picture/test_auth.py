"""Who a token says asks, through the API: what does not verify is refused, and never taken for nobody."""

import base64
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import orjson
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from jose import jwk, jwt
from sqlalchemy import text

from tests.client import Client, RefusedError
from tests.conftest import SECRET, House, token

WHO = "{ viewer { profile { id } email } }"
SUPABASE_SECRET = "the project's JWT secret, long enough"


def encode(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(part)).decode().rstrip("=")


def claims(**changes: Any) -> dict[str, Any]:
    usual = {"sub": str(uuid4()), "aud": "authenticated", "role": "authenticated", "exp": int(time.time()) + 60}
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def hs256(secret: str = SECRET, **changes: Any) -> str:
    return str(jwt.encode(claims(**changes), secret, algorithm="HS256"))


async def who(house: House, authorization: str | None) -> str:
    """The caller's email, "nobody", or the code of the refusal."""
    headers = {"Authorization": authorization} if authorization is not None else {}
    _, body = await Client(house.http, house.apis[0]).post({"query": WHO}, **headers)
    if "errors" in body:
        return str(body["errors"][0]["extensions"]["code"])
    return body["data"]["viewer"]["email"] if body["data"]["viewer"] else "nobody"


async def test_a_person_is_who_their_token_says(api: House) -> None:
    for authorization in (f"Bearer {hs256(email='a@b.c')}", f"bearer  {hs256(email='a@b.c')} "):
        assert await who(api, authorization) == "a@b.c"
    assert await who(api, None) == "nobody"


async def test_claims_that_are_not_as_they_must_be_are_refused(api: House) -> None:
    now = int(time.time())
    wrong: list[dict[str, Any]] = [
        {"exp": now - 60},
        {"exp": None},
        {"exp": "never"},
        {"aud": "anon"},
        {"aud": None},
        {"aud": ["other"]},
        {"sub": None},
        {"sub": "alice"},
        {"sub": str(uuid4()).upper()},
        {"sub": uuid4().hex},
        {"sub": "{" + str(uuid4()) + "}"},
        {"nbf": now + 600},
        {"role": "anon", "sub": None},
        {"role": "service_role", "sub": None},
        {"role": "other", "sub": None, "aud": None},
        {"role": "anon", "sub": None, "aud": None, "exp": None},
        {"role": "service_role", "sub": None, "aud": None, "exp": now - 60},
    ]
    for changes in wrong:
        assert await who(api, f"Bearer {hs256(**changes)}") == "UNAUTHENTICATED", changes


async def test_what_is_not_signed_by_a_key_that_counts_is_refused(api: House) -> None:
    good, none = hs256(), encode({"alg": "none", "typ": "JWT"})
    head, body, signature = good.split(".")
    for wrong in (
        hs256("another secret altogether"),
        f"{none}.{body}.",
        f"{none}.{body}.{signature}",
        f"{none}.{body}",
        f"{head}.{encode(claims(email='root@b.c'))}.{signature}",
        f"{head}.{body}.{signature[:-2]}AA",
        str(jwt.encode(claims(), SECRET, algorithm="HS384")),
        f"{encode({'alg': ['HS256']})}.{body}.{signature}",
        good + "=",
        "a" * 20_000,
        "..",
        "not a token",
        "",
    ):
        assert await who(api, f"Bearer {wrong}") == "UNAUTHENTICATED", wrong
    for wrong in ("", "Bearer", f"Basic {good}", good, f"Bearer {good} {good}", f"Bearer,{good}"):
        assert await who(api, wrong) == "UNAUTHENTICATED", wrong
    assert await who(api, f"Bearer {good}") != "UNAUTHENTICATED"


async def test_a_token_ends_also_while_it_is_remembered(empty_house: House) -> None:
    await empty_house.start_api(token_leeway_seconds=0)
    soon = f"Bearer {hs256(email='a@b.c', exp=time.time() + 1)}"
    assert await who(empty_house, soon) == "a@b.c"
    while await who(empty_house, soon) == "a@b.c":
        pass
    assert await who(empty_house, soon) == "UNAUTHENTICATED"


async def test_supabases_own_keys_are_nobody_and_an_admin_who_owns_nothing(api: House) -> None:
    anon, service = (hs256(role=role, sub=None, aud=None, iss="supabase") for role in ("anon", "service_role"))
    assert [await who(api, f"Bearer {key}") for key in (anon, service)] == ["nobody", "nobody"]
    for key, code in ((anon, "UNAUTHENTICATED"), (service, "FORBIDDEN")):
        with pytest.raises(RefusedError) as refused:
            await Client(api.http, api.apis[0], key).create()
        assert refused.value.code == code


async def test_who_is_revoked_is_turned_away_within_seconds(empty_house: House) -> None:
    await empty_house.start_api(revoked_seconds=0.1)
    alice = empty_house.person("alice")
    await alice.query(WHO)
    db = await empty_house.database()
    async with db.as_service() as session:
        await session.execute(text("insert into revoked_subjects (sub) values (:sub)"), {"sub": alice.sub})
    while await who(empty_house, f"Bearer {alice.token}") != "UNAUTHENTICATED":
        pass


@dataclass
class Provider:
    """An identity provider whose published keys a test chooses."""

    url: str = ""
    keys: list[dict[str, Any]] = field(default_factory=list)
    fetched: int = 0
    is_away: bool = False

    def publish(self, private: Any, kid: str, algorithm: str) -> Callable[..., str]:
        """Publish the key's public half; what is returned signs tokens with the other."""
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = jwk.construct(
            private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), algorithm
        )
        self.keys.append({**public.to_dict(), "kid": kid, "use": "sig"})

        def sign(kid: str = kid, **changes: Any) -> str:
            return str(jwt.encode(claims(**changes), pem.decode(), algorithm=algorithm, headers={"kid": kid}))

        return sign


@asynccontextmanager
async def open_provider() -> AsyncIterator[Provider]:
    provider = Provider()

    async def answer(_: web.Request) -> web.Response:
        provider.fetched += 1
        return web.Response(status=500) if provider.is_away else web.json_response({"keys": provider.keys})

    app = web.Application()
    app.router.add_get("/auth/v1/.well-known/jwks.json", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield provider
    await runner.cleanup()


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with open_provider() as provider:
        yield provider


async def test_published_keys_count_each_for_its_own_algorithm(empty_house: House, provider: Provider) -> None:
    es256 = provider.publish(ec.generate_private_key(ec.SECP256R1()), "one", "ES256")
    rs256 = provider.publish(rsa.generate_private_key(65537, 2048), "two", "RS256")
    await empty_house.start_api(supabase_url=provider.url)
    for signed in (es256, rs256):
        assert await who(empty_house, f"Bearer {signed(email='a@b.c')}") == "a@b.c"
    public = jwk.construct(provider.keys[0], "ES256").to_pem().decode()
    confused = encode({"alg": "HS256", "kid": "one"}) + "." + encode(claims())
    signature = jwk.construct({"kty": "oct", "k": base64.urlsafe_b64encode(public.encode()).decode()}, "HS256")
    signed_with_public = base64.urlsafe_b64encode(signature.sign(confused.encode())).decode().rstrip("=")
    for wrong in (f"{confused}.{signed_with_public}", es256(kid="two"), rs256(kid="one"), token(uuid4())):
        assert await who(empty_house, f"Bearer {wrong}") == "UNAUTHENTICATED"
    assert provider.fetched == 1


async def test_an_unknown_key_is_looked_up_but_not_often(empty_house: House, provider: Provider) -> None:
    first = provider.publish(ec.generate_private_key(ec.SECP256R1()), "one", "ES256")
    await empty_house.start_api(supabase_url=provider.url)
    assert await who(empty_house, f"Bearer {first(email='a@b.c')}") == "a@b.c"
    second = provider.publish(ec.generate_private_key(ec.SECP256R1()), "two", "ES256")
    for _ in range(3):
        assert await who(empty_house, f"Bearer {second()}") == "UNAUTHENTICATED"
    assert provider.fetched == 1  # half a minute has not passed
    await empty_house.start_api(supabase_url=provider.url, jwks_seconds=0)
    empty_house.apis.reverse()
    provider.keys.pop()
    assert await who(empty_house, f"Bearer {first(email='a@b.c')}") == "a@b.c"
    third = provider.publish(ec.generate_private_key(ec.SECP256R1()), "three", "ES256")
    assert await who(empty_house, f"Bearer {third(email='c@b.c')}") == "c@b.c"


async def test_a_provider_that_is_away_is_not_the_tokens_fault(empty_house: House, provider: Provider) -> None:
    sign = provider.publish(ec.generate_private_key(ec.SECP256R1()), "one", "ES256")
    provider.is_away = True
    await empty_house.start_api(supabase_url=provider.url, jwks_seconds=0)
    assert await who(empty_house, f"Bearer {sign()}") == "SERVICE_UNAVAILABLE"
    provider.is_away = False
    assert await who(empty_house, f"Bearer {sign(email='a@b.c')}") == "a@b.c"


async def test_with_supabase_the_local_secret_is_worth_nothing(empty_house: House) -> None:
    await empty_house.start_api(supabase_jwt_secret=SUPABASE_SECRET)
    assert await who(empty_house, f"Bearer {hs256(SUPABASE_SECRET, email='a@b.c')}") == "a@b.c"
    assert await who(empty_house, f"Bearer {hs256(SECRET)}") == "UNAUTHENTICATED"
