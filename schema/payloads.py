"""What mutations answer: the thing, or what is wrong."""

import strawberry

from schema.errors import UserError
from schema.picture import Batch, Generation, Image, Profile
from schema.tag import Tag
from schema.template import PromptTemplate
from schema.upload import Upload

ERRORS = "Empty when it worked; otherwise nothing was written."


@strawberry.type(description="The generation that was made.")
class CreateGenerationPayload:
    generation: Generation | None = strawberry.field(description="QUEUED, or what its key had made.", default=None)
    errors: list[UserError] = strawberry.field(description=ERRORS, default_factory=list)


@strawberry.type(description="The batch as it is now.")
class BatchPayload:
    batch: Batch | None = strawberry.field(description="As it is now.", default=None)
    errors: list[UserError] = strawberry.field(description=ERRORS, default_factory=list)


@strawberry.type(description="The generation as it is now.")
class GenerationPayload:
    generation: Generation | None = strawberry.field(description="As it is now.", default=None)
    errors: list[UserError] = strawberry.field(description=ERRORS, default_factory=list)


@strawberry.type(description="The image as it is now.")
class ImagePayload:
    image: Image | None = strawberry.field(description="As it is now.", default=None)
    errors: list[UserError] = strawberry.field(description=ERRORS, default_factory=list)


@strawberry.type(description="The tag as it is now.")
class TagPayload:
    tag: Tag | None = strawberry.field(description="As it is now.", default=None)
    errors: list[UserError] = strawberry.field(description=ERRORS, default_factory=list)


@strawberry.type(description="What is gone.")
class DeletePayload:
    deleted_id: strawberry.ID | None = strawberry.field(description="Its global id.", default=None)
    errors: list[UserError] = strawberry.field(description=ERRORS, default_factory=list)


@strawberry.type(description="The prompt template as it is now.")
class PromptTemplatePayload:
    prompt_template: PromptTemplate | None = strawberry.field(description="As it is now.", default=None)
    errors: list[UserError] = strawberry.field(description=ERRORS, default_factory=list)


@strawberry.type(description="The caller's profile as it is now.")
class ProfilePayload:
    profile: Profile | None = strawberry.field(description="As it is now.", default=None)
    errors: list[UserError] = strawberry.field(description=ERRORS, default_factory=list)


@strawberry.type(description="The upload as it is now.")
class UploadPayload:
    upload: Upload | None = strawberry.field(description="As it is now.", default=None)
    errors: list[UserError] = strawberry.field(description=ERRORS, default_factory=list)
