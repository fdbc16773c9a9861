"""What clients send."""

from datetime import datetime

import strawberry
from strawberry import UNSET

from schema.enums import GenerationMode, GenerationStatus
from schema.flat import flat
from schema.scalars import BigInt


@strawberry.input(description="Which generations; all of what is given holds.")
class GenerationFilter:
    status: list[GenerationStatus] | None = strawberry.field(description="One of these.", default=UNSET)
    model_id: strawberry.ID | None = strawberry.field(description="Made with this model.", default=UNSET)
    batch_id: strawberry.ID | None = strawberry.field(description="Of this batch.", default=UNSET)
    created_after: datetime | None = strawberry.field(description="Later than this.", default=UNSET)
    created_before: datetime | None = strawberry.field(description="Earlier than this.", default=UNSET)


@strawberry.input(description="isFavorite and minRating mean the caller's own images.")
class ImageFilter:
    search: str | None = strawberry.field(
        description="Full-text over prompts: those with all of these words, in any order and case. It is words, never "
        "syntax; without any word in it, it narrows nothing.",
        default=UNSET,
    )
    tags: list[str] | None = strawberry.field(description="Names; an image carries all of them.", default=UNSET)
    model_id: strawberry.ID | None = strawberry.field(description="Made with this model.", default=UNSET)
    owner_id: strawberry.ID | None = strawberry.field(description="Of this person: a Profile's id.", default=UNSET)
    is_favorite: bool | None = strawberry.field(description="Marked by the caller, or not.", default=UNSET)
    min_rating: int | None = strawberry.field(description="At least so many stars.", default=UNSET)
    created_after: datetime | None = strawberry.field(description="Later than this.", default=UNSET)
    created_before: datetime | None = strawberry.field(description="Earlier than this.", default=UNSET)


@flat
@strawberry.input(description="What to make, and how.")
class CreateGenerationInput:
    model: strawberry.ID = strawberry.field(description="A Model id or its slug.")
    prompt: str = strawberry.field(description="May be empty for a model that takes none (UPSCALE).")
    negative_prompt: str | None = strawberry.field(description="What it should not show.", default=UNSET)
    width: int | None = strawberry.field(
        description="Either both of width and height, or aspectRatio, or neither.", default=UNSET
    )
    height: int | None = strawberry.field(description="In pixels, like width.", default=UNSET)
    aspect_ratio: str | None = strawberry.field(
        description='"16:9": sized to the model\'s native pixel count.', default=UNSET
    )
    steps: int | None = strawberry.field(description="How many sampling steps.", default=UNSET)
    guidance: float | None = strawberry.field(description="How closely to follow the prompt.", default=UNSET)
    seed: BigInt | None = strawberry.field(description="Chosen when it is not given.", default=UNSET)
    image_count: int = strawberry.field(
        description="Images from this one request, 1 to the model's maxImageCount.", default=1
    )
    mode: GenerationMode | None = strawberry.field(
        description="INPAINT with a mask, else IMAGE_TO_IMAGE with a source, else what the model does first.",
        default=UNSET,
    )
    source_image_id: strawberry.ID | None = strawberry.field(
        description="Image to image: an image that the caller may see, …", default=UNSET
    )
    strength: float | None = strawberry.field(description="… and how far to move from it, 0 to 1.", default=UNSET)
    mask_image_id: strawberry.ID | None = strawberry.field(
        description="INPAINT: an image that the caller may see, of the source's size, white where to paint anew; "
        "without one, where the source is transparent.",
        default=UNSET,
    )
    is_public: bool = strawberry.field(description="Whether everybody may see its images.", default=False)
    tags: list[str] | None = strawberry.field(description="What its images are tagged with.", default=UNSET)
    start_within_seconds: int | None = strawberry.field(
        description="FAILED as EXPIRED when it has not started by then; at least 10.", default=UNSET
    )
    reuse: bool = strawberry.field(
        description="The earlier generation itself, COMPLETED, when the caller has one that must come out the same; it "
        "costs no limit. Where the model takes a seed, one must be given.",
        default=False,
    )
    idempotency_key: str | None = strawberry.field(
        description="1 to 128 printable ASCII characters, one space per caller and mutation. Within 24 hours the same "
        "key with the same input returns the generation that it made, as it is now; with another input a "
        "ConflictError. A refused request keeps no key.",
        default=UNSET,
    )


@strawberry.input(description="One of a batch.")
class BatchPromptInput:
    prompt: str = strawberry.field(description="What it should show.")
    negative_prompt: str | None = strawberry.field(description="What it should not show.", default=UNSET)
    seed: BigInt | None = strawberry.field(description="Chosen when it is not given.", default=UNSET)


@strawberry.input(description="2 to 10 prompts with shared settings; one prompt repeated gives variations.")
class CreateBatchInput:
    name: str | None = strawberry.field(description="For people; at most 200 characters.", default=UNSET)
    model: strawberry.ID = strawberry.field(description="A Model id or its slug.")
    prompts: list[BatchPromptInput] = strawberry.field(description="2 to 10, in the order of their places.")
    width: int | None = strawberry.field(
        description="Either both of width and height, or aspectRatio, or neither.", default=UNSET
    )
    height: int | None = strawberry.field(description="In pixels, like width.", default=UNSET)
    aspect_ratio: str | None = strawberry.field(
        description='"16:9": sized to the model\'s native pixel count.', default=UNSET
    )
    steps: int | None = strawberry.field(description="How many sampling steps.", default=UNSET)
    guidance: float | None = strawberry.field(description="How closely to follow the prompts.", default=UNSET)
    is_public: bool = strawberry.field(description="Whether everybody may see its images.", default=False)
    tags: list[str] | None = strawberry.field(description="What its images are tagged with.", default=UNSET)
    idempotency_key: str | None = strawberry.field(
        description="As createGeneration takes it, in a space of its own.", default=UNSET
    )


@strawberry.input(description="An absent field stays as it is; null clears it where it can be null, else INVALID.")
class UpdateImageInput:
    id: strawberry.ID = strawberry.field(description="The image's global id.")
    is_public: bool | None = strawberry.field(description="Whether everybody may see it.", default=UNSET)
    is_favorite: bool | None = strawberry.field(description="The owner's mark.", default=UNSET)
    rating: int | None = strawberry.field(description="0 to 5 stars; null for not rated.", default=UNSET)
    archived: bool | None = strawberry.field(
        description="Put away: seen by its owner only, and not in MINE.", default=UNSET
    )


@strawberry.input(description="What a template says; when it is changed, too, what is left out is empty.")
class PromptTemplateInput:
    name: str = strawberry.field(description="One line of at most 100 characters.")
    prompt: str = strawberry.field(description="What to draw; as long as a generation's may be.")
    negative_prompt: str | None = strawberry.field(description="What it should not show.", default=UNSET)
    category: str | None = strawberry.field(description="One line of at most 50 characters.", default=UNSET)
    is_public: bool = strawberry.field(description="Whether everybody may see it.", default=False)


@strawberry.input(description="An absent field stays as it is; null clears it.")
class UpdateProfileInput:
    username: str | None = strawberry.field(
        description="3 to 30 letters and digits of any script, with single dots, hyphens and underscores between them. "
        "Nobody else has it, in capitals or not; kept in Unicode's form NFKC.",
        default=UNSET,
    )
    avatar_url: str | None = strawberry.field(
        description="An https address of at most 2,000 characters, without a name or password in it. The server never "
        "fetches it.",
        default=UNSET,
    )


@strawberry.input(description="What will be sent.")
class CreateUploadInput:
    filename: str = strawberry.field(description="At most 255 characters, none of them a control character.")
    content_type: str = strawberry.field(description="image/png, image/jpeg or image/webp.")
    size: int = strawberry.field(description="In bytes.")
