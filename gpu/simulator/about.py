"""What the engine says of itself: version, memory, node classes, model files."""

import sys

import psutil
from aiohttp import web

from gpu.simulator import nodes
from gpu.simulator.routes import STATE
from gpu.simulator.sockets import FEATURES

VERSION = "0.33.0"
_VRAM_BYTES = 24 * 1024**3


async def get_stats(request: web.Request) -> web.Response:
    """Version and memory."""
    memory = psutil.virtual_memory()
    free = int(_VRAM_BYTES * (0.4 if request.app[STATE].prompts.running else 0.9))
    system = {
        "os": sys.platform,
        "ram_total": memory.total,
        "ram_free": memory.available,
        "comfyui_version": VERSION,
        "required_frontend_version": None,
        "installed_templates_version": None,
        "required_templates_version": None,
        "comfy_package_versions": [],
        "deploy_environment": "simulated",
        "python_version": sys.version,
        "pytorch_version": "simulated",
        "embedded_python": False,
        "argv": ["main.py"],
    }
    device = {"name": "simulated", "type": "cuda", "index": 0, "vram_total": _VRAM_BYTES, "vram_free": free}
    device |= {"torch_vram_total": _VRAM_BYTES, "torch_vram_free": free}
    return web.json_response({"system": system, "devices": [device]})


async def get_features(request: web.Request) -> web.Response:
    """What the server's hello says."""
    return web.json_response(FEATURES)


async def get_object_info(request: web.Request) -> web.Response:
    """All node classes, or one, or {}."""
    catalogue = request.app[STATE].catalogue
    wanted = [request.match_info["name"]] if "name" in request.match_info else nodes.names()
    return web.json_response({name: info for name in wanted if (info := catalogue.object_info(name))})


async def get_models(request: web.Request) -> web.Response:
    """The model folders' keys."""
    return web.json_response(nodes.folders())


async def get_models_in(request: web.Request) -> web.Response:
    """The files of one model folder."""
    folder = request.match_info["folder"]
    if folder not in nodes.folders():
        return web.Response(status=404)
    return web.json_response(list(request.app[STATE].folders.names(folder)))


async def get_embeddings(request: web.Request) -> web.Response:
    """The textual inversions: none."""
    return web.json_response([])


ROUTES = [
    web.get("/system_stats", get_stats),
    web.get("/features", get_features),
    web.get("/object_info", get_object_info),
    web.get("/object_info/{name}", get_object_info),
    web.get("/models", get_models),
    web.get("/models/{folder}", get_models_in),
    web.get("/embeddings", get_embeddings),
]
