"""What each node class does here: its outputs without a tensor, its steps, its share of the time."""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Protocol

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from gpu.simulator import painting, pixels
from gpu.simulator.caches import Made
from gpu.simulator.files import OutsideError
from gpu.simulator.reports import Report
from gpu.simulator.scripts import Rule
from gpu.simulator.state import State
from gpu.simulator.values import Conditioning, Guider, Latent, Noise, Sigmas, Sketch, Weights

Inputs = dict[str, Any]

PREVIEW_METHODS = ("auto", "latent2rgb", "taesd")
_TILE_PX = 512
_UNSIGNED = "unsigned"
_WEIGHTS = {"KSampler": 80, "SamplerCustom": 80, "SamplerCustomAdvanced": 80, "ImageUpscaleWithModel": 80}
_OUT_OF_MEMORY = (
    "CUDA out of memory. Tried to allocate 20.00 GiB. (simulated)\nThis error means you ran out of memory on your GPU."
    "\n\nTIPS: If the workflow worked before you might have accidentally set the batch_size to a large number."
)


class FaultError(Exception):
    """A failure that a script asked for, under the name that the real one would have."""

    def __init__(self, type: str, message: str) -> None:
        super().__init__(message)
        self.type = type


class InterruptedRunError(Exception):
    """Somebody asked for the end of this run."""


class Run(Protocol):
    """What a node may ask of the run that it belongs to."""

    state: State
    graph: dict[str, Any]
    extra: dict[str, Any]
    report: Report

    async def reach(self, point: str, node_id: str | None = None, step: int = 0) -> list[Rule]: ...

    async def spend(self, weight: float, *, may_stop: bool = True) -> None: ...

    def check(self) -> None: ...


def fault(rule: Rule) -> FaultError:
    """The failure that a rule stands for."""
    if rule.do == "out_of_memory":
        return FaultError(rule.type or "torch.OutOfMemoryError", rule.message or _OUT_OF_MEMORY)
    return FaultError(rule.type or "RuntimeError", (rule.message or "a node failed, as the script says") + "\n")


def weight(name: str) -> float:
    """A node's share of a run's time."""
    if name in _WEIGHTS:
        return _WEIGHTS[name]
    return 4 if "Loader" in name else 6 if name.startswith("VAE") else 1 if name == "CLIPTextEncode" else 0


async def execute(run: Run, node_id: str, inputs: Inputs) -> Made:
    """Run one node. Raises InterruptedRunError, FaultError, or whatever went wrong."""
    name = run.graph[node_id]["class_type"]
    run.check()
    await run.reach("node", node_id)
    if "Loader" in name:
        await run.reach("load", node_id)
        await run.spend(weight(name), may_stop=False)  # weights are read to the end, whoever asks
    elif name not in _WEIGHTS:
        if name.startswith("VAEDecode"):
            await run.reach("decode", node_id)
        if weight(name):
            await run.spend(weight(name))
    if name in _PLAIN:
        return Made(_PLAIN[name](inputs))
    return await _BUSY[name](run, node_id, inputs)


# Those that only pass something on.


def _load(key: str, count: int = 1) -> Callable[[Inputs], tuple[Any, ...]]:
    return lambda i: (Weights(i[key]),) * count


def _empty_latent(i: Inputs) -> tuple[Any, ...]:
    return (Latent(i["width"], i["height"], i["batch_size"]),)


def _first(key: str) -> Callable[[Inputs], tuple[Any, ...]]:
    return lambda i: (i[key],)


def _encode(i: Inputs) -> tuple[Any, ...]:
    source = i["pixels"][0]
    width, height = (max(side // 8 * 8, 8) for side in source.size)
    return (Latent(width, height, len(i["pixels"]), source, i.get("mask", (None,))[0]),)


def _split(i: Inputs) -> tuple[Any, ...]:
    low = round(i["sigmas"].steps * i["denoise"])
    return (replace(i["sigmas"], steps=i["sigmas"].steps - low), replace(i["sigmas"], steps=low))


def _enlarge(i: Inputs) -> tuple[Any, ...]:
    latent: Latent = i["samples"]
    width, height = (max(round(side * i["scale_by"] / 8) * 8, 8) for side in (latent.width, latent.height))
    sketch = replace(latent.sketch, width=width, height=height) if latent.sketch else None
    return (replace(latent, width=width, height=height, sketch=sketch),)


_PLAIN: dict[str, Callable[[Inputs], tuple[Any, ...]]] = {
    "BasicGuider": lambda i: (Guider(i["conditioning"].text),),
    "BasicScheduler": lambda i: (Sigmas(i["steps"], i["denoise"]),),
    "CFGGuider": lambda i: (Guider(i["positive"].text),),
    "CLIPLoader": _load("clip_name"),
    "CLIPSetLastLayer": _first("clip"),
    "CLIPTextEncode": lambda i: (Conditioning(i["text"]),),
    "CheckpointLoaderSimple": _load("ckpt_name", 3),
    "ConditioningZeroOut": lambda i: (Conditioning(""),),
    "DualCLIPLoader": _load("clip_name1"),
    "EmptyImage": lambda i: (pixels.plain(i["width"], i["height"], i["color"], i["batch_size"]),),
    "EmptyLatentImage": _empty_latent,
    "EmptySD3LatentImage": _empty_latent,
    "FluxGuidance": _first("conditioning"),
    "ImageToMask": lambda i: (pixels.channel(i["image"], i["channel"]),),
    "InpaintModelConditioning": lambda i: (i["positive"], i["negative"], *_encode(i)),
    "KSamplerSelect": _first("sampler_name"),
    "LatentUpscaleBy": _enlarge,
    "LoraLoader": lambda i: (i["model"], i["clip"]),
    "LoraLoaderModelOnly": _first("model"),
    "MaskToImage": lambda i: (tuple(mask.convert("RGB") for mask in i["mask"]),),
    "ModelSamplingAuraFlow": _first("model"),
    "ModelSamplingFlux": _first("model"),
    "ModelSamplingSD3": _first("model"),
    "PrimitiveFloat": _first("value"),
    "PrimitiveInt": _first("value"),
    "PrimitiveStringMultiline": _first("value"),
    "RandomNoise": lambda i: (Noise(i["noise_seed"]),),
    "RepeatLatentBatch": lambda i: (replace(i["samples"], batch=i["samples"].batch * i["amount"]),),
    "SetLatentNoiseMask": lambda i: (replace(i["samples"], mask=i["mask"][0]),),
    "SplitSigmasDenoise": _split,
    "TripleCLIPLoader": _load("clip_name1"),
    "UNETLoader": _load("unet_name"),
    "UpscaleModelLoader": _load("model_name"),
    "VAEEncode": _encode,
    "VAEEncodeForInpaint": _encode,
    "VAELoader": _load("vae_name"),
}


# Those that take their time, or touch the disk.


async def _sampler(run: Run, node_id: str, i: Inputs) -> Made:
    latent = await _sample(run, node_id, i["latent_image"], i["positive"].text, i["seed"], i["steps"], i["denoise"])
    return Made((latent,))


async def _custom(run: Run, node_id: str, i: Inputs) -> Made:
    sigmas: Sigmas = i["sigmas"]
    text, seed = i["positive"].text, i["noise_seed"]
    latent = await _sample(run, node_id, i["latent_image"], text, seed, sigmas.steps, sigmas.denoise)
    return Made((latent, latent))


async def _advanced(run: Run, node_id: str, i: Inputs) -> Made:
    sigmas: Sigmas = i["sigmas"]
    text, seed = i["guider"].text, i["noise"].seed
    latent = await _sample(run, node_id, i["latent_image"], text, seed, sigmas.steps, sigmas.denoise)
    return Made((latent, latent))


async def _sample(run: Run, node_id: str, latent: Latent, text: str, seed: int, steps: int, denoise: float) -> Latent:
    """Go through the steps; what has a picture already (a refiner's latent) keeps it."""
    drawn = Sketch(text, seed, latent.width, latent.height, latent.source, latent.mask, denoise)
    sketch = latent.sketch or drawn
    method = run.extra.get("preview_method", run.state.preview_method)
    preview = None
    if method in PREVIEW_METHODS or (method == "default" and run.state.preview_method in PREVIEW_METHODS):
        preview = await asyncio.to_thread(painting.Preview, sketch)
    for step in range(1, steps + 1):
        await run.spend(_WEIGHTS["KSampler"] / steps)
        image = await asyncio.to_thread(preview.frame, step / steps) if preview else None
        run.report.progress(node_id, step, steps, image, "image/jpeg")
        await run.reach("step", node_id, step)
    return replace(latent, sketch=sketch)


async def _decode(run: Run, node_id: str, i: Inputs) -> Made:
    latent: Latent = i["samples"]
    sketch = latent.sketch or Sketch("", 0, latent.width, latent.height, latent.source, None, 0.0)
    quick = run.state.seconds == 0
    images = [await asyncio.to_thread(painting.paint, sketch, n, quick=quick) for n in range(latent.batch)]
    return Made((tuple(images),))


async def _open(run: Run, node_id: str, i: Inputs) -> Made:
    path = run.state.folders.input_file(i["image"])
    if path is None:
        raise FileNotFoundError(i["image"])
    image, mask = await asyncio.to_thread(pixels.load, path)
    return Made(((image,), (mask,)))


async def _scale(run: Run, node_id: str, i: Inputs) -> Made:
    size = (i["width"], i["height"])
    return Made((await asyncio.to_thread(pixels.scale, i["image"], size, i["crop"] == "center"),))


async def _scale_total(run: Run, node_id: str, i: Inputs) -> Made:
    width, height = i["image"][0].size
    factor = (i["megapixels"] * 1024 * 1024 / (width * height)) ** 0.5
    return Made((await asyncio.to_thread(pixels.scale, i["image"], (round(width * factor), round(height * factor))),))


async def _upscale(run: Run, node_id: str, i: Inputs) -> Made:
    """Four times up, tile by tile."""
    width, height = i["image"][0].size
    tiles = -(-width // _TILE_PX) * -(-height // _TILE_PX) * len(i["image"])
    for tile in range(1, tiles + 1):
        await run.spend(_WEIGHTS["ImageUpscaleWithModel"] / tiles)
        run.report.progress(node_id, tile, tiles, None, "image/png")
        await run.reach("step", node_id, tile)
    images = await asyncio.to_thread(pixels.scale, i["image"], (width * 4, height * 4))
    for image in images:
        image.info[_UNSIGNED] = True  # until it is saved: what scales it again may cut the corner off
    return Made((images,))


async def _save(run: Run, node_id: str, i: Inputs) -> Made:
    return await _write(run, node_id, i["images"], "output", i["filename_prefix"])


async def _preview(run: Run, node_id: str, i: Inputs) -> Made:
    return await _write(run, node_id, i["images"], "temp", f"ComfyUI_temp_{painting.letters(node_id)}")


async def _write(run: Run, node_id: str, images: tuple[Image.Image, ...], kind: str, prefix: str) -> Made:
    rules = await run.reach("save", node_id)
    if any(rule.do == "no_output" for rule in rules):
        return Made(())
    try:
        folder, subfolder, name, number = run.state.folders.place(kind, prefix, *images[0].size)
    except OutsideError as error:
        raise FaultError("Exception", f"{error}\n") from error
    about = PngInfo()
    about.add_text("prompt", json.dumps(run.graph))
    for key, value in (run.extra.get("extra_pnginfo") or {}).items():
        about.add_text(key, json.dumps(value))
    shown = []
    for n, image in enumerate(images):
        filename = f"{name.replace('%batch_num%', str(n))}_{number + n:05}_.png"
        signed = painting.sign(image.copy(), "simulated · upscaled") if _UNSIGNED in image.info else image
        await asyncio.to_thread(signed.save, folder / filename, pnginfo=about, compress_level=1)
        shown.append({"filename": filename, "subfolder": subfolder, "type": kind})
    await run.reach("saved", node_id)
    return Made((), {"images": shown})


async def _send(run: Run, node_id: str, i: Inputs) -> Made:
    """Hand the images to the socket; who is not there has lost them."""
    for n, image in enumerate(i["images"]):
        buffer = io.BytesIO()
        await asyncio.to_thread(image.save, buffer, "PNG", compress_level=1)
        run.report.progress(node_id, n, len(i["images"]), buffer.getvalue(), "image/png")
    return Made(())


_BUSY: dict[str, Callable[[Run, str, Inputs], Awaitable[Made]]] = {
    "ImageScale": _scale,
    "ImageScaleToTotalPixels": _scale_total,
    "ImageUpscaleWithModel": _upscale,
    "KSampler": _sampler,
    "LoadImage": _open,
    "PreviewImage": _preview,
    "SamplerCustom": _custom,
    "SamplerCustomAdvanced": _advanced,
    "SaveImage": _save,
    "SaveImageWebsocket": _send,
    "VAEDecode": _decode,
    "VAEDecodeTiled": _decode,
}
