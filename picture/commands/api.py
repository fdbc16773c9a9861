"""picture api"""

import gc

import click
import uvicorn

from picture.app import create_app
from picture.commands.shared import load
from picture.settings import Settings
from picture.socket import server_options


@click.command()
@click.option("--host", help="The address to listen on; 127.0.0.1 when not given.")
@click.option("--port", type=click.IntRange(1, 65535), help="The port to listen on; 8000 when not given.")
def command(host: str | None, port: int | None) -> None:
    """Serve the API until told to stop."""
    serve(load("api", host=host, port=port))


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; requests and streams then have `drain_seconds` to end."""
    # Otherwise a full collection over the objects of 1,000 sockets stops the loop for 200 to 400 ms.
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        **server_options(ping_seconds=settings.ping_seconds, max_frame_bytes=settings.max_body_bytes),
        log_config=None,
        access_log=False,  # the app logs one line a request, with its id
        server_header=False,
        proxy_headers=bool(settings.forwarded_allow_ips),
        forwarded_allow_ips=settings.forwarded_allow_ips or None,
        timeout_graceful_shutdown=max(1, int(settings.drain_seconds)),
    )
