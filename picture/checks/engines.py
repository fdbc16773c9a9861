"""ComfyUI: whether it answers, and which models it has the files for."""

from collections.abc import AsyncIterator

from gpu import catalogue, comfyui
from gpu.catalogue import Catalogue
from gpu.comfyui import Client
from gpu.errors import CatalogueError, EngineError
from picture.checks.finding import Finding, bad, doubtful, good
from picture.settings import Settings


async def check_engine(settings: Settings) -> AsyncIterator[Finding]:
    """The catalogue, and the engine of this worker."""
    try:
        entries = catalogue.load(settings.catalogue) if settings.catalogue else catalogue.load()
    except CatalogueError as error:
        yield bad("catalogue", str(error), "Mend the file that PICTURE_CATALOGUE names.")
        return
    yield good("catalogue", f"{len(entries.entries)} models")
    if not settings.comfyui_url:
        yield good("engine", "has no address: `picture up` starts a simulated one")
        return
    try:
        async with comfyui.open_client(settings.comfyui_url, settings.comfyui_folder) as client:
            async for finding in _engine(client, entries, settings.comfyui_url):
                yield finding
    except EngineError as error:
        yield bad("engine", f"{settings.comfyui_url}: {error}", "Is ComfyUI up, and may this machine reach it?")
    folder = settings.comfyui_folder
    if folder and not folder.is_dir():
        yield bad("engine's folder", f"{folder} is not there", "Mount it here, or leave PICTURE_COMFYUI_FOLDER unset.")


async def _engine(client: Client, entries: Catalogue, address: str) -> AsyncIterator[Finding]:
    stats = await client.stats()
    gigabytes = f", {stats.vram_free_bytes / 1e9:.1f} of {stats.vram_total_bytes / 1e9:.1f} GB free"
    memory = gigabytes if stats.vram_total_bytes else ""
    yield good("engine", f"{address}: ComfyUI {stats.version} on {stats.device}{memory}")
    files = await client.files(entries.folders)
    able = entries.available(files)
    yield good("models", f"{', '.join(sorted(able)) or 'none'} can be run")
    for slug, entry in entries.entries.items():
        if slug not in able:
            needed = {file for mode in entry.workflows for file in entry.files(mode)}
            missing = sorted(f"{folder}/{name}" for folder, name in needed if name not in files.get(folder, ()))
            yield doubtful(slug, f"lacks {', '.join(missing)}", "Put them into ComfyUI's models folder, to have it.")
