"""Files by HTTP: uploads and looking at images."""

import asyncio
import io
import json

from aiohttp import web
from aiohttp.web_request import FileField
from PIL import Image

from gpu.simulator.files import inside
from gpu.simulator.routes import STATE


async def post_image(request: web.Request) -> web.Response:
    """Keep a file under its name, or under the next free one; whether it is an image is not asked."""
    form = await request.post()
    image = form.get("image")
    if not isinstance(image, FileField) or not image.filename:
        return web.Response(status=400)
    return _keep(request, dict(form), image.filename, image.file.read())


async def post_mask(request: web.Request) -> web.Response:
    """Keep the original, wearing this file's alpha channel."""
    form = await request.post()
    image = form.get("image")
    if not isinstance(image, FileField) or not image.filename:
        return web.Response(status=400)
    original = json.loads(str(form["original_ref"]))
    folder = request.app[STATE].folders.kinds[original.get("type", "output")]
    path = inside(folder, f"{original.get('subfolder', '')}/{original['filename']}".lstrip("/"))
    if path is None or not path.is_file():
        return web.Response(status=400)
    with Image.open(path) as under, Image.open(io.BytesIO(image.file.read())) as mask:
        result = under.convert("RGBA")
        result.putalpha(mask.convert("RGBA").getchannel("A").resize(result.size))
    buffer = io.BytesIO()
    result.save(buffer, "PNG", compress_level=4)
    return _keep(request, dict(form), image.filename, buffer.getvalue())


def _keep(request: web.Request, form: dict[str, object], filename: str, data: bytes) -> web.Response:
    state = request.app[STATE]
    kind, subfolder = str(form.get("type", "input")), str(form.get("subfolder", ""))
    overwrite = form.get("overwrite") in ("true", "1")
    name = state.folders.store(kind, subfolder, filename, data, overwrite=overwrite)
    if name is None:
        return web.Response(status=400)
    state.journal.write("uploaded", name=name, subfolder=subfolder, type=kind)
    return web.json_response({"name": name, "subfolder": subfolder, "type": kind})


async def get_view(request: web.Request) -> web.StreamResponse:
    """A file as it is, or an image encoded anew (`preview`, `channel`)."""
    query = request.query
    filename = query.get("filename")
    if filename is None:
        return web.Response(status=404)
    kinds = request.app[STATE].folders.kinds
    kind = query.get("type", "output")
    if not filename or filename.startswith("/") or ".." in filename or kind not in kinds:
        return web.Response(status=400)
    folder = inside(kinds[kind], query.get("subfolder", ""))
    if folder is None:
        return web.Response(status=403)
    path = folder / filename.rsplit("/", 1)[-1]
    if not path.is_file():
        return web.Response(status=404)
    headers = {"Content-Disposition": f'filename="{path.name}"'}
    if "preview" in query or query.get("channel", "rgba") != "rgba":
        with Image.open(path) as image:
            body, kind = await asyncio.to_thread(_encode, image, query.get("preview"), query.get("channel"))
        return web.Response(body=body, headers={**headers, "Content-Type": kind})
    return web.FileResponse(path, headers={**headers, "X-Content-Type-Options": "nosniff"})


def _encode(image: Image.Image, preview: str | None, channel: str | None) -> tuple[bytes, str]:
    buffer = io.BytesIO()
    if preview:
        kind, _, quality = preview.partition(";")
        kind = kind if kind in ("webp", "jpeg") else "webp"
        image.convert("RGB").save(buffer, kind, quality=int(quality) if quality.isdigit() else 90)
        return buffer.getvalue(), f"image/{kind}"
    if channel == "a":
        alpha = Image.new("RGBA", image.size)
        alpha.putalpha(image.convert("RGBA").getchannel("A"))
        alpha.save(buffer, "PNG")
    else:
        image.convert("RGB").save(buffer, "PNG", pnginfo=None)
    return buffer.getvalue(), "image/png"


ROUTES = [web.post("/upload/image", post_image), web.post("/upload/mask", post_mask), web.get("/view", get_view)]
