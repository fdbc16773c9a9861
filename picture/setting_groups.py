"""What can be set, in groups; `picture.settings` puts them together and checks what depends on each other."""

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode


def url(*schemes: str) -> AfterValidator:
    def check(value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in schemes or not (parts.netloc or parts.path.strip("/")):
            raise ValueError(f"should be an address that begins with {' or '.join(f'{name}://' for name in schemes)}")
        return value.rstrip("/")

    return AfterValidator(check)


def _listed(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


PostgresUrl = Annotated[str, url("postgresql", "postgres", "postgresql+asyncpg")]
RedisUrl = Annotated[str, url("redis", "rediss", "unix")]
HttpUrl = Annotated[str, url("http", "https")]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
Numbers = Annotated[tuple[float, ...], NoDecode, BeforeValidator(_listed)]


def _outside(name: str, description: str, default: str | None = None, **rest: Any) -> Any:
    """A setting that others define too, and that has no prefix."""
    return Field(default, validation_alias=name, description=description, **rest)


def _is(default: Any, description: str, **bounds: Any) -> Any:
    return Field(default, description=description, **bounds)


class Addresses(BaseSettings):
    """Addresses; each that is not set is embedded by `picture up`."""

    database_url: PostgresUrl | None = _outside("DATABASE_URL", "Postgres, by the API's login role", repr=False)
    database_worker_url: PostgresUrl | None = _outside(
        "DATABASE_WORKER_URL", "Postgres, by the login role of workers and scheduler", repr=False
    )
    database_admin_url: PostgresUrl | None = _outside(
        "DATABASE_ADMIN_URL", "Postgres, by the owner of the tables; `picture migrate` only", repr=False
    )
    redis_url: RedisUrl | None = _outside("REDIS_URL", "Redis or Valkey", repr=False)
    comfyui_url: HttpUrl | None = _outside("COMFYUI_URL", "The ComfyUI server of this worker")
    s3_endpoint: HttpUrl | None = _outside("S3_ENDPOINT", "S3-compatible storage; a folder in the home when unset")
    s3_bucket: str | None = _outside("S3_BUCKET", "The private bucket for pictures", validate_default=True)
    s3_region: str = _outside("S3_REGION", "Its region; `auto` for Cloudflare R2", "auto")
    s3_access_key_id: str | None = _outside("S3_ACCESS_KEY_ID", "The key's name", validate_default=True)
    s3_secret_access_key: str | None = _outside(
        "S3_SECRET_ACCESS_KEY", "The key's secret", repr=False, validate_default=True
    )
    s3_prefix: str = _outside("S3_PREFIX", "What every key begins with; nothing outside is ever deleted", "picture/")
    supabase_url: HttpUrl | None = _outside("SUPABASE_URL", "The Supabase project whose ES256/RS256 tokens count")
    supabase_jwt_secret: str | None = _outside(
        "SUPABASE_JWT_SECRET", "The Supabase project's HS256 secret", repr=False, min_length=16
    )


class TheHouse(BaseSettings):
    """The house."""

    home: Path = _is(Path(".picture"), "Where embedded services, pictures and secrets of this checkout live")
    host: str = _is("127.0.0.1", "The address that the API listens on")
    port: int = _is(8000, "The port that the API listens on", ge=1, le=65535)
    public_url: str = _is("", "The API's address as clients see it; host and port when unset", validate_default=True)
    secret: str | None = _is(None, "Signs addresses of private pictures; random per home", repr=False, min_length=16)
    token_secret: str | None = _is(
        None, "Signs the tokens of `picture token`; random per home; void when SUPABASE_* is set", repr=False,
        min_length=16, validate_default=True,
    )  # fmt: skip
    allowed_origins: Names = _is((), "Origins of web clients, comma-separated; `*` for all")
    allowed_hosts: Names = _is(
        (), "Names under which the API may be asked, comma-separated; `*` for all, as where it is not on loopback"
    )
    forwarded_allow_ips: str = _is("", "Proxies whose X-Forwarded-* headers count, comma-separated; `*` for all")
    graphiql: bool = _is(True, "Show GraphiQL at /graphql")
    graphiql_token: str | None = _is(
        None, "The token that GraphiQL begins with; set by `picture up`, handed out on loopback only", repr=False
    )
    introspection: bool = _is(True, "Answer introspection queries")
    log_format: Literal["auto", "pretty", "json"] = _is("auto", "`auto` is pretty in a terminal, JSON otherwise")
    log_level: Literal["debug", "info", "warning", "error"] = _is("info", "The least that is logged")
    namespace: str = _is("picture", "What every Redis key and channel begins with", pattern=r"^[a-z0-9_.-]+$")
    worker_name: str = _is("", "The worker's name in logs and rows; host and process when unset")


class Allowances(BaseSettings):
    """What one person may."""

    generations_per_hour: int = _is(20, "Generations of one person in an hour by the UTC clock", ge=0)
    generations_per_day: int = _is(100, "Generations of one person in a day by the UTC clock", ge=0)
    max_concurrent: int = _is(3, "Generations of one person that run at once", ge=1)
    uploads_per_day: int = _is(200, "Uploads of one person in a day", ge=0)
    storage_bytes: int = _is(5_000_000_000, "Bytes that one person may store", ge=0)
    max_prompt_characters: int = _is(4000, "The longest prompt", ge=1, le=100_000)
    max_templates: int = _is(200, "Prompt templates of one person", ge=0, le=1000)
    max_pixels: int = _is(40_000_000, "The most pixels that a picture is decoded with", ge=4096, le=200_000_000)


class Generating(BaseSettings):
    """Generating."""

    max_retries: int = _is(3, "Further attempts after a failure that may be mended by one", ge=0, le=20)
    retry_seconds: Numbers = _is(
        (5.0, 10.0, 30.0), "Pauses before them, comma-separated; the last repeats", min_length=1
    )
    lease_seconds: float = _is(30, "Silence after which a worker's generation is queued again", ge=1, le=3600)
    heartbeat_seconds: float = _is(5, "Between two extensions of the lease; at most half of it", gt=0, le=600)
    worker_up_seconds: float = _is(20, "Silence after which a worker counts as down", ge=1, le=3600)
    poll_seconds: float = _is(2, "Between a worker's looks into the queue when no message comes", gt=0, le=60)
    cancel_poll_seconds: float = _is(0.5, "Between a worker's looks whether what it runs was canceled", gt=0, le=10)
    progress_timeout_seconds: float = _is(120, "Without progress, an attempt is given up", gt=0, le=3600)
    attempt_timeout_seconds: float = _is(600, "One attempt takes at most this long", gt=0, le=86_400)
    cancel_grace_seconds: float = _is(20, "A cancelled run may take this long to stop", gt=0, le=600)
    drain_seconds: float = _is(30, "A process told to stop may finish for this long", ge=0, le=3600)
    sweep_seconds: float = _is(5, "Between two sweeps", gt=0, le=600)
    orphan_seconds: float = _is(3600, "Objects of an ended attempt are deleted after this long", ge=0)
    failed_days: int = _is(30, "Failed generations are deleted after this long", ge=1)
    event_hours: float = _is(24, "Events can be resumed for this long", gt=0)
    idempotency_hours: float = _is(24, "An idempotency key is remembered for this long", gt=0)

    storing_seconds: float = _is(600, "What was rendered is stored again for this long while storage is away", gt=0)
    max_storing: int = _is(2, "Generations that a worker stores while it renders the next", ge=1, le=16)


class Engine(BaseSettings):
    """The engine."""

    catalogue: Path | None = _is(None, "The catalogue of models, a TOML file; the packaged one when unset")
    model_scan_seconds: float = _is(30, "Between two looks which model files the engine has", gt=0, le=3600)
    comfyui_folder: Path | None = _is(None, "Where the worker sees the folder that holds ComfyUI's input and output")
    engine_timeout_seconds: float = _is(30, "One request to the engine takes at most this long", gt=0, le=600)
    engine_seconds: float = _is(1.5, "How long the simulated engine takes for a picture", ge=0, le=600)
    engine_script: Path | None = _is(None, "A file that tells the simulated engine what to get wrong")
    engine_port: int = _is(8188, "The port that `picture engine` listens on", ge=1, le=65535)


class Live(BaseSettings):
    """The database and live streams."""

    database_pool_size: int = _is(10, "Connections of one process to Postgres", ge=1, le=1000)
    statement_timeout_seconds: float = _is(15, "One statement takes at most this long", gt=0, le=600)
    stream_seconds: float = _is(3600, "A stream ends after this long; the client resumes", gt=0)
    silence_seconds: float = _is(3, "Between two looks for events that Redis has dropped", gt=0, le=60)
    queue_moved_seconds: float = _is(2, "Between two looks at the queue for those who wait in it", gt=0, le=60)
    listener_buffer: int = _is(256, "Events that wait for one slow client before it is let go", ge=8, le=100_000)
    ping_seconds: float = _is(20, "Between two pings to a silent client", gt=0, le=600)
    init_timeout_seconds: float = _is(10, "A WebSocket says connection_init within this time", gt=0, le=600)
    send_seconds: float = _is(15, "A client that takes nothing for this long is let go", gt=0, le=600)
    max_sockets: int = _is(100, "WebSockets of one person on one process", ge=1, le=100_000)
    max_operations: int = _is(100, "Operations at once on one WebSocket", ge=1, le=10_000)


class Pictures(BaseSettings):
    """Pictures."""

    image_format: Literal["webp", "png"] = _is("webp", "How pictures are stored")
    image_quality: int = _is(90, "WebP's quality", ge=1, le=100)
    public_cache_seconds: int = _is(3600, "Public pictures may be cached for this long", ge=0)
    signature_window_seconds: int = _is(3600, "Addresses of private pictures stay the same for this long", ge=60)
    redirect_seconds: int = _is(300, "The storage's own address behind a redirect is good for this long", ge=10)


class Uploads(BaseSettings):
    """Uploads."""

    clamav_url: Annotated[str, url("tcp")] | None = _outside(
        "CLAMAV_URL", "clamd, as tcp://host:port, that is asked about every upload; nobody is when unset"
    )
    clamav_seconds: float = _is(60, "It answers about one file within this time", gt=0, le=600)
    upload_bytes: int = _is(50_000_000, "The largest upload", ge=1, le=2_000_000_000)
    upload_hours: float = _is(24, "Uploads that are not completed, or cannot be checked, end after this long", gt=0)
    upload_url_seconds: float = _is(3600, "The address that bytes are sent to is good for this long", ge=1, le=604_800)
    upload_days: int = _is(30, "Rows of uploads that have ended are deleted after this long; images stay", ge=1)
    max_checking: int = _is(2, "Uploads that one scheduler checks at once", ge=1, le=64)
    check_seconds: float = _is(20, "Making a picture of an upload takes at most this much of a core", ge=1, le=600)


class Documents(BaseSettings):
    """Documents, and the requests that bring them."""

    max_characters: int = _is(50_000, "The longest document", ge=1000, le=1_000_000)
    max_tokens: int = _is(2000, "The tokens of a document, and its lines", ge=10, le=100_000)
    max_depth: int = _is(15, "The deepest operation", ge=1, le=100)
    max_aliases: int = _is(50, "The aliases of a document", ge=0, le=10_000)
    max_directives: int = _is(50, "The directives of a document", ge=0, le=10_000)
    max_fragments: int = _is(50, "The fragments of a document", ge=0, le=1000)
    max_document_operations: int = _is(20, "The operations of a document, of which one is run", ge=1, le=1000)
    max_root_fields: int = _is(20, "The fields at the root of an operation", ge=1, le=1000)
    max_cost: int = _is(10_000, "The values in the largest answer of an operation, pages counted full", ge=100)
    max_variables_bytes: int = _is(250_000, "The largest variables of an operation", ge=100)
    max_variables_depth: int = _is(10, "The deepest variables of an operation", ge=1, le=100)
    max_variables_values: int = _is(1000, "The most values in the variables of an operation", ge=100)
    max_body_bytes: int = _is(500_000, "The largest request", ge=1000)
    body_seconds: float = _is(10, "A request has arrived whole within this time", gt=0, le=600)
    operation_seconds: float = _is(20, "An operation takes at most this long; its statements end with it", gt=0, le=600)
    max_batch: int = _is(0, "The operations of a request that is an array; 0: none is served", ge=0, le=100)
    suggestions: bool | None = _is(None, "Say what may have been meant; as PICTURE_INTROSPECTION when unset")
    trusted_documents: Path | None = _is(None, "A manifest of documents by their hash, a JSON file")
    trusted_only: bool = _is(False, "Run nothing but the documents of PICTURE_TRUSTED_DOCUMENTS")
    persisted_queries: bool = _is(False, "Remember documents by their hash when clients ask for it")
    persisted_hours: float = _is(24, "A document that nobody asks for is remembered for this long", gt=0, le=8760)
    max_persisted: int = _is(1000, "The most documents that are remembered", ge=1, le=100_000)


class Rates(BaseSettings):
    """How often; 0 is no limit. A minute's worth may be spent at once, and comes back evenly."""

    operations_per_minute: int = _is(1200, "Operations of one person in a minute; 0: no limit", ge=0)
    operations_per_minute_per_address: int = _is(12_000, "Operations from one address in a minute; 0: no limit", ge=0)
    connections_per_minute: int = _is(120, "WebSockets that one person opens in a minute; 0: no limit", ge=0)
    connections_per_minute_per_address: int = _is(
        1200, "WebSockets that are opened from one address in a minute; 0: no limit", ge=0
    )
    max_connections_per_address: int = _is(
        200, "HTTP connections from one address on one process; 0: no limit, as behind proxies that are trusted", ge=0
    )
    max_sockets_per_address: int = _is(1000, "WebSockets from one address on one process", ge=1, le=100_000)


class Contract(BaseSettings):
    """The contract."""

    plans: bool = _is(True, "Answer queries from one compiled statement, where there is one")
    page_default: int = _is(20, "Entries of a page that names no size", ge=1, le=1000)
    page_max: int = _is(100, "The most entries of a page", ge=1, le=1000)
    ready_timeout_seconds: float = _is(2, "/readyz waits this long for each dependency", gt=0, le=60)
    jwks_seconds: float = _is(30, "The identity provider's keys are fetched at most this often", ge=1)
    jwks_timeout_seconds: float = _is(5, "Fetching them takes at most this long", gt=0, le=60)
    token_leeway_seconds: float = _is(5, "By how much clocks may differ when a token is judged", ge=0, le=300)
    token_cache_entries: int = _is(10_000, "Verified tokens that are remembered", ge=0)
    revoked_seconds: float = _is(5, "A revoked person is turned away within this time", gt=0, le=300)


class Up(BaseSettings):
    """`picture up`."""

    workers: int = _is(1, "Workers that `picture up` starts, each with its engine", ge=0, le=64)
    start_timeout_seconds: float = _is(60, "A service that `picture up` starts must answer within this time", gt=0)
    stop_timeout_seconds: float = _is(10, "A service that is told to stop is killed after this long", gt=0)
    restart_seconds: Annotated[tuple[float, float], NoDecode, BeforeValidator(_listed)] = _is(
        (0.2, 10.0), "The first and the longest pause before what died is started again"
    )
    restart_reset_seconds: float = _is(10, "What ran for this long is started again after the first pause", gt=0)
