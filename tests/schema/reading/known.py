"""What is known of the story's things from how they came about, without asking anybody."""

from typing import Any

from tests.schema.reading.expecting import above, between, is_jpeg, is_there, starts
from tests.schema.reading.story import NOWHERE, SD, WANTED, WISHES, Story

AS_WANTED = {key: WANTED[key] for key in ("prompt", "negativePrompt", "width", "height", "steps", "guidance", "seed")}
SMALL = {"width": 256, "height": 256, "steps": SD["steps"], "mode": "TEXT_TO_IMAGE", "model": {"slug": SD["model"]}}
ALICE = {"username": "alice", "avatarUrl": "https://pictures.example/alice.png"}
SDXL: dict[str, Any] = {"slug": "sdxl", "name": "Stable Diffusion XL", "version": "1.0", "provider": "COMFYUI"}
SDXL |= {"description": starts("Large pictures"), "licence": "CreativeML OpenRAIL++-M", "costPerImage": "0.004"}
SDXL |= {"capabilities": ["IMAGE_TO_IMAGE", "NEGATIVE_PROMPT", "SEED", "TEXT_TO_IMAGE"], "sortOrder": 50}
SDXL |= {"defaultWidth": 1024, "minWidth": 512, "maxWidth": 2048, "maxPixels": 2_097_152, "sizeMultiple": 64}
SDXL |= {"defaultHeight": 1024, "minHeight": 512, "maxHeight": 2048, "maxImageCount": 4, "defaultStrength": 0.6}
SDXL |= {"defaultSteps": 30, "minSteps": 1, "maxSteps": 60, "aspectRatios": lambda ratios: "21:9" in ratios}
SDXL |= {"defaultGuidance": 7.5, "minGuidance": 1, "maxGuidance": 20, "typicalSeconds": above(0)}
SDXL |= {"isAvailable": True, "isActive": True}


def by_name(story: Story) -> dict[str, Any]:
    """Of the things that have a name."""
    return generations(story) | pictures(story) | people(story) | refusals()


def generations(story: Story) -> dict[str, Any]:
    ended = {"queuePosition": None, "heldReason": None, "etaSeconds": None, "stage": None}
    fox = {**AS_WANTED, **ended, "status": "COMPLETED", "mode": "TEXT_TO_IMAGE", "imageCount": 2, "progress": 1}
    fox |= {"cost": "0.008", "attempt": 1, "failure": None, "durationSeconds": between(0.01, 20), "batch": None}
    fox |= {"retryOf": None, "sourceImage": None, "strength": None, "model": {"slug": "sdxl"}, "completedAt": is_there}
    failure = {"code": "NODE_ERROR", "message": "The workflow's KSampler failed: RuntimeError.", "node": "5"}
    batch = {"name": "Two foxes", "status": "COMPLETED", "progress": 1, "totalCount": 2, "completedCount": 2}
    batch |= {"failedCount": 0, "canceledCount": 0, "generations": WISHES, "completedAt": is_there}
    return {
        "held": {**SMALL, "status": "QUEUED", "heldReason": "NO_WORKER", "queuePosition": None, "startedAt": None},
        "given up": {"id": story.id("held"), "status": "CANCELED", "attempt": 0, "images": []},
        "slow": {"status": "PROCESSING", "stage": "SAMPLING", "progress": between(0.1, 0.99), "startedAt": is_there},
        "second": {"queuePosition": 2, "heldReason": "CONCURRENCY_LIMIT", "etaSeconds": above(0)},
        "fox": {**fox, "images": [AS_WANTED] * 2},
        "drawn": {"mode": "INPAINT", "strength": 0.25, "sourceImage": {"prompt": "a plain", "seed": 1}},
        "broken": {"status": "FAILED", "failure": {**failure, "retryable": False, "stage": "SAMPLING"}, "images": []},
        "mended": {"status": "COMPLETED", "retryOf": {"id": story.id("broken")}, "attempt": 1},
        "heavy": {"status": "COMPLETED", "attempt": 2},
        "member": {**WISHES[1], "batch": {"id": story.id("batch")}, "images": [{"tags": [{"name": "batch"}]}]},
        "batch": batch,
        "estimate early": {"errors": [], "heldReason": "NO_WORKER", "queuePosition": None, "cost": None},
        "estimate": {"width": 512, "height": 512, "cost": "0.008", "queuePosition": 1, "heldReason": None},
        "square": {"width": 512, "height": 512, "etaSeconds": above(0), "etaSecondsP90": above(0)},
    }


def pictures(story: Story) -> dict[str, Any]:
    house = story.house.apis[0]
    picture = {**AS_WANTED, "format": "WEBP", "fileSize": between(1000, 100_000), "blurhash": starts("L")}
    picture |= {"owner": ALICE, "model": {"slug": "sdxl"}, "hiddenAt": None}
    public = {**picture, "isPublic": True, "urlExpiresAt": None, "likeCount": 1, "archivedAt": None}
    public |= {key: starts(f"{house}/i/") for key in ("url", "thumbnailUrl", "downloadUrl")}
    fox, winter = {"name": "fox", "color": "#FF8800", "imageCount": 2}, {"name": "winter", "color": None}
    mine = {"isFavorite": True, "rating": 5, "likedByMe": False, "generation": {"id": story.id("fox")}}
    hers = {"isFavorite": False, "rating": None, "likedByMe": True, "generation": None}
    put = {"url": starts(house), "method": "PUT", "headers": [{"name": "Content-Type", "value": "image/png"}]}
    gone: dict[str, Any] = {"url": None, "method": None, "headers": []}
    return {
        "image": {**public, **mine, "tags": [fox, winter]},
        "seen": {**public, **hers, "tags": [{**fox, "imageCount": 1}, winter]},
        "news": {"id": story.id("image"), "isPublic": True, "likeCount": 0, "owner": ALICE, "isFavorite": False},
        "archived": {**picture, "isPublic": False, "archivedAt": is_there, "urlExpiresAt": is_there, "likeCount": 0},
        "hidden": {**WISHES[1], "isPublic": True, "hiddenAt": is_there, "urlExpiresAt": is_there},
        "upload before": {**put, "status": "PENDING", "expiresAt": is_there, "image": None, "error": None},
        "upload": {**gone, "status": "READY", "image": {"width": 64, "height": 48, "prompt": None, "model": None}},
        "no picture": {**gone, "status": "REJECTED", "image": None, "error": {"code": "INVALID", "path": None}},
        "tags": [fox],
        "page": {"totalCount": 9, "pageInfo": {"hasNextPage": True, "hasPreviousPage": False}},
        "found": {"totalCount": 1, "edges": [{"node": {"id": story.id("image")}}], "pageInfo": {"hasNextPage": False}},
        "model": SDXL,
    }


def people(story: Story) -> dict[str, Any]:
    limits = {"generationsPerHour": 1000, "generationsUsedThisHour": between(0, 8), "generationsPerDay": 1000}
    limits |= {"generationsUsedToday": 8, "uploadsPerDay": 2, "uploadsUsedToday": 2, "storageBytes": 5_000_000_000}
    limits |= {"storageBytesUsed": between(20_000, 200_000), "maxConcurrent": 1, "running": 0, "queued": 0}
    template = {"name": "Foxes", "prompt": "a fox, …", "negativePrompt": "dogs", "category": "animals"}
    return {
        "viewer": {"profile": ALICE, "email": "alice@pictures.example", "limits": limits},
        "profile": {**ALICE, "images": {"totalCount": 2}},
        "template": {**template, "isPublic": False, "useCount": 0},
    }


def refusals() -> dict[str, Any]:
    many = {"limit_QuotaExceededError": 1, "used": 1}  # under another name, as it is of another type
    often = {"limit_RateLimitError": 2, "windowSeconds": 86_400, "retryAfterSeconds": between(0, 86_401)}
    table: dict[str, tuple[str, str, list[str] | None, dict[str, Any]]] = {
        "taken": ("ConflictError", "CONFLICT", ["input", "username"], {}),
        "too many": ("QuotaExceededError", "QUOTA_EXCEEDED", None, many),
        "greedy": ("InvalidInputError", "INVALID", ["input", "steps"], {}),
        "too late": ("ConflictError", "CONFLICT", ["id"], {}),
        "alone": ("InvalidInputError", "INVALID", ["input", "prompts"], {}),
        "nothing failed": ("ConflictError", "CONFLICT", ["id"], {}),
        "too often": ("RateLimitError", "RATE_LIMITED", None, often),
        "no color": ("InvalidInputError", "INVALID", ["color"], {}),
        "not there": ("NotFoundError", "NOT_FOUND", ["id"], {"missingId": NOWHERE}),
        "not meant": ("InvalidInputError", "INVALID", ["confirm"], {}),
    }
    said = {"message": lambda message: len(message) > 10 and message.endswith(".")}
    return {
        name: {"__typename": kind, "code": code, "path": path, **said, **more}
        for name, (kind, code, path, more) in table.items()
    }


def by_type(story: Story) -> list[tuple[str, dict[str, Any]]]:
    """Of what was told or answered at some time."""
    slow = {"cursor": is_there, "at": is_there, "generation": {"prompt": "painted slowly"}}
    memory = {"code": "OUT_OF_MEMORY", "retryable": True, "stage": "SAMPLING"}
    held = {"queuePosition": 1, "heldReason": "CONCURRENCY_LIMIT", "etaSeconds": above(0)}
    sampled = {"stage": "SAMPLING", "step": 3, "steps": 4, "progress": between(0.1, 0.99), "etaSeconds": above(0)}
    fox, image = {"id": story.id("fox")}, {"id": story.id("image")}
    told: list[tuple[str, dict[str, Any]]] = [
        ("GenerationSnapshot", slow),
        ("GenerationQueued", {**slow, "generation": {"prompt": "third"}, "queuePosition": 2}),
        ("GenerationQueueMoved", {**slow, **held, "generation": {"prompt": "third"}}),
        ("GenerationStarted", slow),
        ("GenerationProgressed", {**slow, **sampled}),
        ("GenerationPreviewed", {**slow, "dataUrl": is_jpeg}),
        ("GenerationCanceling", slow),
        ("GenerationCanceled", slow),
        ("GenerationCompleted", {**slow, "generation": fox, "images": [AS_WANTED] * 2}),
        ("GenerationFailed", {**slow, "generation": {"prompt": "a heavy fox"}, "willRetry": True, "failure": memory}),
        ("GenerationFailed", {"generation": {"id": story.id("broken")}, "willRetry": False}),
    ]
    answered: list[tuple[str, dict[str, Any]]] = [
        ("CreateGenerationPayload", {"generation": fox, "errors": []}),
        ("GenerationPayload", {"generation": {"id": story.id("given up")}, "errors": []}),
        ("BatchPayload", {"batch": {"id": story.id("batch")}, "errors": []}),
        ("ImagePayload", {"image": image, "errors": []}),
        ("TagPayload", {"tag": {"name": "fox"}, "errors": []}),
        ("UploadPayload", {"upload": {"status": "PROCESSING"}, "errors": []}),
        ("PromptTemplatePayload", {"promptTemplate": {"name": "Foxes"}, "errors": []}),
        ("ProfilePayload", {"profile": ALICE, "errors": []}),
        ("DeletePayload", {"deletedId": story.id("hidden"), "errors": []}),
        ("GenerationEdge", {"cursor": is_there, "node": WISHES[1]}),
        ("BatchEdge", {"cursor": is_there, "node": {"name": "Two foxes"}}),
        ("ImageEdge", {"cursor": is_there, "node": image}),
        ("PageInfo", {"hasPreviousPage": True, "startCursor": is_there, "endCursor": is_there}),
    ]
    return told + answered
