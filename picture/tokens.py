"""Tokens for machines without Supabase, of the form that Supabase gives out."""

import time
import uuid

from jose import jwt

from picture.settings import Settings
from picture.trouble import Trouble

ALGORITHM = "HS256"
AUDIENCE = "authenticated"
PERSON = "me"  # whom the demo and GraphiQL on this machine are signed in as
# Whoever has a name here has the same id in every home.
PEOPLE = uuid.UUID("8d3f2c6e-5f0b-4c57-9a44-0a3f6c1f7b52")


def local_token(settings: Settings, name: str, *, is_admin: bool = False, ttl_seconds: int = 86_400) -> str:
    """A signed-in person called `name`. Raises Trouble where tokens come from Supabase, or there is no secret."""
    if settings.has_supabase:
        raise Trouble("Tokens come from Supabase here (SUPABASE_* is set), and local ones are refused. Sign in there.")
    if not settings.token_secret:
        raise Trouble(f"There is no secret in {settings.home} yet. Run `picture up`, or set PICTURE_TOKEN_SECRET.")
    issued = int(time.time())
    claims = {
        "aud": AUDIENCE,
        "sub": str(uuid.uuid5(PEOPLE, name)),
        "role": AUDIENCE,
        "email": f"{name}@picture.local",
        "iat": issued,
        "exp": issued + ttl_seconds,
        "app_metadata": {"role": "admin"} if is_admin else {},
    }
    token: str = jwt.encode(claims, settings.token_secret, algorithm=ALGORITHM)
    return token
