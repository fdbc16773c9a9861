"""The API process: what it holds open, and what answers which address."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Route, WebSocketRoute

from db.claims import Claims
from db.counts import Counts
from db.database import Database
from db.known_models import KnownModels
from db.limits import Allowance
from db.queue import QueueRules
from picture import collector, graphiql, health, pictures, uploads
from picture.auth import Auth, AuthLimits
from picture.downloads import Downloads, open_downloads
from picture.gate import Gate
from picture.graphql import View, make_schema
from picture.keys import JWKS_PATH, Keys, PublishedKeys
from picture.origins import ASKED_FIRST
from picture.rates import RateLimits, Rates, open_rates
from picture.requests import HEADER, RequestLog
from picture.revocations import Revocations
from picture.settings import Settings
from picture.shapes import DocumentLimits
from picture.socket import SocketLimits, Sockets
from picture.stores import storage_config
from picture.trusted import load
from picture.turns import Turns
from schema.bounds import Bounds
from schema.context import Context
from storage.addresses import Addresses
from storage.objects import Storage, open_storage
from storage.puts import Puts
from tasks.events import Events, connect
from tasks.hub import Hub, open_hub
from tasks.publications import Publications
from tasks.queue import Queue

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Resources:
    """What one API process holds open."""

    db: Database
    redis: Redis
    storage: Storage
    queue: Queue
    events: Events
    hub: Hub
    addresses: Addresses
    puts: Puts
    auth: Auth
    rates: Rates
    revocations: Revocations
    downloads: Downloads


def create_app(settings: Settings) -> Starlette:
    """The API. It opens what it needs when it starts, and closes it when it stops."""
    middleware = [Middleware(Turns), Middleware(RequestLog)]
    if settings.allowed_origins:
        middleware.append(
            Middleware(
                CORSMiddleware,
                allow_origins=list(settings.allowed_origins),
                allow_methods=["GET", "POST", "PUT"],
                allow_headers=["Content-Type", *ASKED_FIRST],
                expose_headers=[HEADER, "Retry-After"],
            )
        )
    trusted = load(settings.trusted_documents) if settings.trusted_documents else {}
    return Starlette(lifespan=_lifespan(settings, trusted), middleware=middleware)


def _lifespan(settings: Settings, trusted: Mapping[str, str]) -> Lifespan:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_resources(settings) as resources:
            app.router.routes[:] = _routes(settings, resources, trusted)
            collector.settle()
            yield

    return lifespan


@asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    """All that the API needs. Raises UnsafeRoleError when row-level security would not bind its login."""
    async with AsyncExitStack() as stack:
        db = Database.connect(
            settings.require("database_url"),
            pool_size=settings.database_pool_size,
            statement_timeout_seconds=settings.statement_timeout_seconds,
        )
        stack.push_async_callback(db.close)
        await db.check_role()
        redis: Redis = connect(settings.require("redis_url"))
        stack.push_async_callback(redis.aclose)
        queue = Queue.connect(settings.require("redis_url"), settings.namespace)
        stack.push_async_callback(queue.close)
        hub = await stack.enter_async_context(
            open_hub(
                redis,
                db,
                _rules(settings),
                namespace=settings.namespace,
                capacity=settings.listener_buffer,
                silence_seconds=settings.silence_seconds,
                queue_moved_seconds=settings.queue_moved_seconds,
                event_hours=settings.event_hours,
            )
        )
        revocations = Revocations(db, settings.revoked_seconds)
        await stack.enter_async_context(revocations.follow(hub))
        rates = await stack.enter_async_context(open_rates(redis, settings.namespace, RateLimits.of(settings)))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        storage = await stack.enter_async_context(open_storage(storage_config(settings)))
        secret = settings.require("secret")
        yield Resources(
            db=db,
            redis=redis,
            storage=storage,
            queue=queue,
            events=Events(redis, settings.namespace),
            hub=hub,
            addresses=Addresses(settings.public_url, secret, settings.signature_window_seconds),
            puts=Puts(storage, settings.public_url, secret, settings.upload_url_seconds),
            auth=Auth(_keys(settings, http), db, revocations, _auth_limits(settings)),
            rates=rates,
            revocations=revocations,
            downloads=await stack.enter_async_context(open_downloads(db)),
        )


def _routes(settings: Settings, resources: Resources, trusted: Mapping[str, str]) -> list[BaseRoute]:
    view = _view(settings, resources, trusted)
    checks: dict[str, health.Check] = {
        "postgres": resources.db.ping,
        "redis": lambda: resources.redis.ping(),
        "storage": resources.storage.ping,
    }
    return [
        Route("/graphql", view, methods=["GET", "POST"]),
        WebSocketRoute("/graphql", view),
        *(graphiql.routes() if settings.graphiql else ()),
        *pictures.routes(
            resources.db,
            resources.storage,
            resources.addresses,
            resources.downloads.note,
            settings.public_cache_seconds,
        ),
        *uploads.routes(resources.db, resources.storage, resources.puts),
        *health.routes(checks, settings.ready_timeout_seconds),
    ]


def _view(settings: Settings, resources: Resources, trusted: Mapping[str, str]) -> View:
    allowance, rules = _allowance(settings), _rules(settings)
    bounds = Bounds(
        page_default=settings.page_default,
        page_max=settings.page_max,
        max_prompt_characters=settings.max_prompt_characters,
        idempotency_hours=settings.idempotency_hours,
        upload_bytes=settings.upload_bytes,
        upload_hours=settings.upload_hours,
        max_templates=settings.max_templates,
    )

    known_models, counts = KnownModels(resources.db), Counts()
    publications = Publications(resources.hub, resources.db)

    def make_context(claims: Claims, is_stream: bool) -> Context:
        return Context(
            db=resources.db,
            queue=resources.queue,
            events=resources.events,
            hub=resources.hub,
            publications=publications,
            addresses=resources.addresses,
            storage=resources.storage,
            puts=resources.puts,
            models=known_models,
            allowance=allowance,
            rules=rules,
            bounds=bounds,
            counts=counts,
            revoke=resources.revocations.revoke,
            claims=claims,
            is_stream=is_stream,
        )

    schema = make_schema(
        DocumentLimits.of(settings), operation_seconds=settings.operation_seconds, plans=settings.plans
    )
    return View(
        schema,
        resources.auth,
        make_context,
        Sockets(resources.auth.verify, resources.revocations.watch, _socket_limits(settings)),
        Gate.of(settings, resources.redis, resources.rates, trusted, schema.is_valid),
        allowed_origins=settings.allowed_origins,
        has_graphiql=settings.graphiql,
        graphiql_token=settings.graphiql_token,
    )


def _keys(settings: Settings, http: aiohttp.ClientSession) -> Keys:
    """Supabase's when any of it is set; only then is the local secret worth nothing."""
    published = settings.supabase_url and PublishedKeys(
        http,
        settings.supabase_url + JWKS_PATH,
        every_seconds=settings.jwks_seconds,
        timeout_seconds=settings.jwks_timeout_seconds,
    )
    secret = settings.supabase_jwt_secret if settings.has_supabase else settings.token_secret
    return Keys(secret, published or None)


def _allowance(settings: Settings) -> Allowance:
    return Allowance(
        generations_per_hour=settings.generations_per_hour,
        generations_per_day=settings.generations_per_day,
        max_concurrent=settings.max_concurrent,
        uploads_per_day=settings.uploads_per_day,
        storage_bytes=settings.storage_bytes,
    )


def _rules(settings: Settings) -> QueueRules:
    return QueueRules(max_concurrent=settings.max_concurrent, worker_up_seconds=settings.worker_up_seconds)


def _auth_limits(settings: Settings) -> AuthLimits:
    return AuthLimits(
        leeway_seconds=settings.token_leeway_seconds,
        revoked_seconds=settings.revoked_seconds,
        cache_entries=settings.token_cache_entries,
    )


def _socket_limits(settings: Settings) -> SocketLimits:
    return SocketLimits(
        init_timeout_seconds=settings.init_timeout_seconds,
        send_seconds=settings.send_seconds,
        stream_seconds=settings.stream_seconds,
        max_operations=settings.max_operations,
        max_sockets=settings.max_sockets,
        max_frame_bytes=settings.max_body_bytes,
    )
