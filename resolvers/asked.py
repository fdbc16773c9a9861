"""What a client asks to be made, checked against the model and the images that it names."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from db import images
from db.errors import InvalidInputError
from db.request import NewGeneration
from db.submissions import StaleModelError
from db.tables import ImageRow
from resolvers import checks
from resolvers.ids import missing, require
from schema.context import Info
from schema.inputs import BatchPromptInput, CreateBatchInput, CreateGenerationInput
from schema.picture import Image

T = TypeVar("T")

MIN_PROMPTS, MAX_PROMPTS = 2, 10
MAX_BATCH_NAME = 200
OF_A_PROMPT = ("prompt", "negativePrompt", "seed")


async def generation(info: Info, input: CreateGenerationInput) -> NewGeneration:
    """What the input asks for. Raises what is wrong with it, naming the field."""
    model = await info.context.models.require(checks.model_reference(input.model), path=("input", "model"))
    source = await _image(info, checks.given(input.source_image_id), "sourceImageId")
    mask = await _image(info, checks.given(input.mask_image_id), "maskImageId")
    return checks.generation(input, model, info.context.bounds, source, mask)


async def batch(info: Info, input: CreateBatchInput) -> list[NewGeneration]:
    """One for each prompt. Raises what is wrong with the first that is not right, naming the field."""
    if not MIN_PROMPTS <= len(input.prompts) <= MAX_PROMPTS:
        raise InvalidInputError(f"A batch has {MIN_PROMPTS} to {MAX_PROMPTS} prompts.", path=("input", "prompts"))
    model = await info.context.models.require(checks.model_reference(input.model), path=("input", "model"))
    news = []
    for place, prompt in enumerate(input.prompts):
        try:
            news.append(checks.generation(_alone(input, prompt), model, info.context.bounds, None, None))
        except InvalidInputError as error:
            if error.path[-1] in OF_A_PROMPT:
                error.path = ("input", "prompts", str(place), error.path[-1])
            raise
    return news


def batch_name(input: CreateBatchInput) -> str | None:
    """The batch's name, None where there is none. Raises InvalidInputError."""
    name = (checks.given(input.name) or "").strip()
    return checks.line(name, MAX_BATCH_NAME, "input", "name") or None


async def up_to_date(info: Info, make: Callable[[], Awaitable[T]]) -> T:
    """What `make` makes; once more when a model has changed since it was last looked at."""
    try:
        return await make()
    except StaleModelError:
        info.context.models.forget()
        return await make()


def _alone(input: CreateBatchInput, prompt: BatchPromptInput) -> CreateGenerationInput:
    return CreateGenerationInput(
        model=input.model,
        prompt=prompt.prompt,
        negative_prompt=prompt.negative_prompt,
        seed=prompt.seed,
        width=input.width,
        height=input.height,
        aspect_ratio=input.aspect_ratio,
        steps=input.steps,
        guidance=input.guidance,
        is_public=input.is_public,
        tags=input.tags,
    )


async def _image(info: Info, id: str | None, field: str) -> ImageRow | None:
    if id is None:
        return None
    async with info.context.db.as_user(info.context.claims) as session:
        image = await images.get(session, require(id, Image, "input", field))
    if image is None:
        raise missing(id, Image, "input", field)
    return image
