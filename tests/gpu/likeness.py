"""What two servers have to say alike, and what may differ from one moment or machine to the next."""

import io
import json
import random
import re
from typing import Any

import aiohttp
from PIL import Image

from tests.gpu.recorded import Line

_LEFT_OUT = {"required_frontend_version", "installed_templates_version", "required_templates_version"}
_LEFT_OUT |= {"comfy_package_versions", "deploy_environment", "tooltip"}
_TOLD = ("input_order", "output", "output_is_list", "output_name", "name", "display_name", "output_node")
_TIMES = {"timestamp", "create_time", "execution_start_time", "execution_end_time"}
_NAMES = {"display_node_id", "real_node_id", "node_id"}


def plain(value: Any, key: str = "") -> Any:
    """Without what differs from one machine, or one moment, to the next."""
    if key in _TIMES:
        assert value is None or isinstance(value, int | str)
        return "time"
    if key == "nodes" and isinstance(value, dict):
        assert all({node[name] for name in _NAMES} == {node_id} for node_id, node in value.items())
        return " ".join(f"{n}:{v['value']}/{v['max']}{v['state'][0]}" for n, v in value.items())
    if key in ("current_outputs", "executed") and isinstance(value, list):
        return sorted(value)
    if key == "errors":  # in the order of a set, there
        return sorted((plain(part) for part in value), key=lambda part: str(part["extra_info"].get("input_name")))
    if key in ("traceback", "current_inputs"):
        return sorted(value) if isinstance(value, dict) else ["…"]
    if isinstance(value, dict):
        return {k: plain(v, k) for k, v in value.items() if k not in ("tooltip", "ram_free")}
    if isinstance(value, list):
        return [plain(part, key) for part in value]
    if key == "exception_message":
        return re.sub(r"(<\w+>|/)[^\s']*", "…", value)
    return re.sub(r"ComfyUI_temp_[a-z]{5}", "ComfyUI_temp_xxxxx", value) if isinstance(value, str) else value


def told(messages: list[Any]) -> list[Any]:
    """All but the `status` events."""
    return [message for message in messages if message.get("type") != "status"]


def any_outputs(value: Any) -> Any:
    """Without an order among the outputs to be run, which is a set's there."""
    if isinstance(value, dict):
        return {key: any_outputs(part) for key, part in value.items()}
    if isinstance(value, list):
        is_ids = all(isinstance(part, str) for part in value)
        return sorted(value) if is_ids else [any_outputs(part) for part in value]
    return value


def same(line: Line, wanted: Any, said: Any) -> None:
    """Two answers to one request are alike where a client looks."""
    path = line["request"]["path"].removeprefix("/api")
    wanted, said = plain(wanted), plain(said)
    if path == "/system_stats":
        assert set(wanted["system"]) - _LEFT_OUT <= set(said["system"])
        assert set(wanted["devices"][0]) == set(said["devices"][0])
    elif path.startswith("/object_info/"):
        for name, info in wanted.items():
            assert info["input"] == said[name]["input"]
            assert {key: said[name][key] for key in _TOLD} == {key: info[key] for key in _TOLD}
        assert set(wanted) == set(said)
    elif line.get("partial") and path == "/queue":
        short = {key: sorted(item[:2] for item in items) for key, items in said.items()}
        assert short == {key: sorted(items) for key, items in wanted.items()}
    elif line.get("partial"):
        for prompt_id, entry in wanted.items():
            inner = said[prompt_id] if "status" in entry else said[prompt_id]["status"]
            assert {key: inner[key] for key in entry} == entry
    elif path.startswith(("/history", "/jobs", "/queue")):
        assert any_outputs(said) == any_outputs(wanted)
    else:
        assert said == wanted


def parse_binary(data: bytes) -> dict[str, Any]:
    """A preview frame as the recordings show it."""
    event = int.from_bytes(data[:4], "big")
    about, image = None, data[8:]
    if event == 4:
        size = int.from_bytes(data[4:8], "big")
        about, image = json.loads(data[8 : 8 + size]), data[8 + size :]
    with Image.open(io.BytesIO(image)) as opened:
        return {"event": event, "metadata": about, "format": opened.format, "size": list(opened.size)}


def form(field: str, filename: str, bytes: int, fields: dict[str, str]) -> aiohttp.FormData:
    """An upload: the same bytes for the same size."""
    data = aiohttp.FormData(quote_fields="/" not in filename)
    data.add_field(field, content(filename, bytes), filename=filename.replace("/", "%2F"))
    for name, value in fields.items():
        data.add_field(name, value)
    return data


def content(filename: str, size: int) -> bytes:
    """A picture that stands for one of that many bytes; or none, where there was none."""
    if filename == "notimage.png":
        return b"this is not an image"
    buffer = io.BytesIO()
    if not size:
        noise = random.Random(7).randbytes(1024 * 1024 * 3)
        Image.frombytes("RGB", (1024, 1024), noise).save(buffer, "PNG", compress_level=1)
        return buffer.getvalue()
    shade = size % 256
    image = Image.new("RGB", (256, 256), (shade, 99, 255 - shade))
    if "mask" in filename:
        image.putalpha(Image.radial_gradient("L"))
    image.save(buffer, "PNG")
    return buffer.getvalue()
