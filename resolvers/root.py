"""The API's table of contents: every field of the three roots, and what answers it."""

from collections.abc import AsyncGenerator

import strawberry
from strawberry.extensions import FieldExtension

import resolvers.accounts
import resolvers.batches
import resolvers.estimates
import resolvers.generations
import resolvers.images
import resolvers.likes
import resolvers.models
import resolvers.nodes
import resolvers.profiles
import resolvers.publications
import resolvers.reports
import resolvers.streams
import resolvers.tags
import resolvers.templates
import resolvers.uploads
import resolvers.viewer
from resolvers.errors import ErrorsAsData
from schema.batches import BatchConnection
from schema.estimated import GenerationEstimate
from schema.events import GenerationEvent
from schema.model import Model
from schema.node import Node
from schema.payloads import (
    BatchPayload,
    CreateGenerationPayload,
    DeletePayload,
    GenerationPayload,
    ImagePayload,
    ProfilePayload,
    PromptTemplatePayload,
    TagPayload,
    UploadPayload,
)
from schema.picture import Batch, Generation, GenerationConnection, Image, ImageConnection, Profile
from schema.tag import Tag
from schema.template import PromptTemplate
from schema.upload import Upload
from schema.viewer import Viewer

PAYLOAD: list[FieldExtension] = [ErrorsAsData()]


@strawberry.type(description="What can be read.")
class Query:
    node: Node | None = strawberry.field(
        resolver=resolvers.nodes.node, description="Anything by its global id; null when there is nothing to see."
    )
    nodes: list[Node | None] = strawberry.field(
        resolver=resolvers.nodes.nodes, description="Each in the order of the ids; null where there is nothing to see."
    )
    viewer: Viewer | None = strawberry.field(resolver=resolvers.viewer.viewer, description="Null when not signed in.")
    profile: Profile | None = strawberry.field(
        resolver=resolvers.profiles.profile, description="The person of that name; null when nobody has it."
    )
    prompt_templates: list[PromptTemplate] = strawberry.field(
        resolver=resolvers.templates.list_templates,
        description="The caller's own by name, then at most 100 public ones of others by name.",
    )
    models: list[Model] = strawberry.field(resolver=resolvers.models.list_models, description="In their order.")
    model: Model | None = strawberry.field(resolver=resolvers.models.model, description="The model of that name.")
    generation: Generation | None = strawberry.field(
        resolver=resolvers.generations.generation, description="One of the caller's own."
    )
    generations: GenerationConnection = strawberry.field(
        resolver=resolvers.generations.list_generations, description="The caller's own, newest first."
    )
    generation_estimate: GenerationEstimate = strawberry.field(
        resolver=resolvers.estimates.generation_estimate,
        description="What createGeneration would do with the same input now; nothing is written.",
    )
    batch: Batch | None = strawberry.field(resolver=resolvers.batches.batch, description="One of the caller's own.")
    batches: BatchConnection = strawberry.field(
        resolver=resolvers.batches.list_batches, description="The caller's own, newest first."
    )
    upload: Upload | None = strawberry.field(
        resolver=resolvers.uploads.upload, description="One of the caller's own; null when there is none to see."
    )
    image: Image | None = strawberry.field(resolver=resolvers.images.image, description="One that the caller may see.")
    images: ImageConnection = strawberry.field(resolver=resolvers.images.list_images, description="A gallery.")
    tags: list[Tag] = strawberry.field(
        resolver=resolvers.tags.list_tags,
        description="What is on images that the caller may see, and what the caller has made. Most used first.",
    )


@strawberry.type(description="What can be changed.")
class Mutation:
    create_generation: CreateGenerationPayload = strawberry.mutation(
        resolver=resolvers.generations.create_generation,
        extensions=PAYLOAD,
        description="Ask for pictures: returns at once, with a QUEUED generation.",
    )
    cancel_generation: GenerationPayload = strawberry.mutation(
        resolver=resolvers.generations.cancel_generation,
        extensions=PAYLOAD,
        description="QUEUED becomes CANCELED at once, PROCESSING becomes CANCELING and ends as CANCELED, whatever was "
        "rendered; CANCELING and CANCELED ones are returned; COMPLETED and FAILED ones give a ConflictError.",
    )
    retry_generation: GenerationPayload = strawberry.mutation(
        resolver=resolvers.generations.retry_generation,
        extensions=PAYLOAD,
        description="A new generation like a FAILED or CANCELED one; its retryOf names that one. While that retry has "
        "not ended, asking again returns it.",
    )
    delete_generation: DeletePayload = strawberry.mutation(
        resolver=resolvers.generations.delete_generation,
        extensions=PAYLOAD,
        description="A QUEUED one is canceled first; PROCESSING and CANCELING ones give a ConflictError. Its images "
        "stay; no limit is given back.",
    )
    create_batch: BatchPayload = strawberry.mutation(
        resolver=resolvers.batches.create_batch,
        extensions=PAYLOAD,
        description="Ask for 2 to 10 at once, all or none: they count as many against the limits.",
    )
    cancel_batch: BatchPayload = strawberry.mutation(
        resolver=resolvers.batches.cancel_batch,
        extensions=PAYLOAD,
        description="All of it that has not ended is canceled, as cancelGeneration does it.",
    )
    retry_batch: BatchPayload = strawberry.mutation(
        resolver=resolvers.batches.retry_batch,
        extensions=PAYLOAD,
        description="New generations in the places of those that failed or were canceled; while those have not ended, "
        "asking again returns the batch. A ConflictError when there is nothing to repeat.",
    )
    update_image: ImagePayload = strawberry.mutation(
        resolver=resolvers.images.update_image,
        extensions=PAYLOAD,
        description="What its owner may change.",
    )
    delete_image: DeletePayload = strawberry.mutation(
        resolver=resolvers.images.delete_image,
        extensions=PAYLOAD,
        description="The rows at once, the objects in storage right after.",
    )
    add_tags: ImagePayload = strawberry.mutation(
        resolver=resolvers.tags.add_tags,
        extensions=PAYLOAD,
        description="The caller's own image carries these, too. A tag is made on its first use.",
    )
    remove_tags: ImagePayload = strawberry.mutation(
        resolver=resolvers.tags.remove_tags,
        extensions=PAYLOAD,
        description="The caller's own image carries these no more.",
    )
    update_tag: TagPayload = strawberry.mutation(
        resolver=resolvers.tags.update_tag, extensions=PAYLOAD, description="By the one who made it, or an admin."
    )
    like_image: ImagePayload = strawberry.mutation(
        resolver=resolvers.likes.like_image,
        extensions=PAYLOAD,
        description="Any image that the caller may see; again changes nothing.",
    )
    unlike_image: ImagePayload = strawberry.mutation(
        resolver=resolvers.likes.unlike_image, extensions=PAYLOAD, description="Again changes nothing."
    )
    create_upload: UploadPayload = strawberry.mutation(
        resolver=resolvers.uploads.create_upload,
        extensions=PAYLOAD,
        description="A place for a picture's bytes: PENDING, within the day's limit and what may be stored.",
    )
    complete_upload: UploadPayload = strawberry.mutation(
        resolver=resolvers.uploads.complete_upload,
        extensions=PAYLOAD,
        description="May be called again: the upload as it is now.",
    )
    report_image: ImagePayload = strawberry.mutation(
        resolver=resolvers.reports.report_image,
        extensions=PAYLOAD,
        description="For the operator to look at; the same caller's second report changes nothing.",
    )
    create_prompt_template: PromptTemplatePayload = strawberry.mutation(
        resolver=resolvers.templates.create_template,
        extensions=PAYLOAD,
        description="Keep a prompt to begin with; QUOTA_EXCEEDED when the caller has as many as they may.",
    )
    update_prompt_template: PromptTemplatePayload = strawberry.mutation(
        resolver=resolvers.templates.update_template,
        extensions=PAYLOAD,
        description="The caller's own says what the input says from now on, and nothing else.",
    )
    delete_prompt_template: DeletePayload = strawberry.mutation(
        resolver=resolvers.templates.delete_template, extensions=PAYLOAD, description="The caller's own is gone."
    )
    update_profile: ProfilePayload = strawberry.mutation(
        resolver=resolvers.profiles.update_profile,
        extensions=PAYLOAD,
        description="What everybody sees of the caller. A name that somebody else has is a ConflictError.",
    )
    delete_account: DeletePayload = strawberry.mutation(
        resolver=resolvers.accounts.delete_account,
        extensions=PAYLOAD,
        description="All that the caller has, for good: rows at once, objects right after; their token is worth "
        "nothing from then on. `confirm` is their own username, or DELETE where they have none.",
    )


@strawberry.type(description="What can be watched.")
class Subscription:
    generation_events: AsyncGenerator[GenerationEvent, None] = strawberry.subscription(
        resolver=resolvers.streams.generation_events,
        description="One generation, to its end. `progress`: also GenerationProgressed and GenerationQueueMoved; "
        "`previews`: also GenerationPreviewed.",
    )
    my_generation_events: AsyncGenerator[GenerationEvent, None] = strawberry.subscription(
        resolver=resolvers.streams.my_generation_events,
        description="All of the caller's, for as long as the client listens.",
    )
    batch_updated: AsyncGenerator[Batch, None] = strawberry.subscription(
        resolver=resolvers.batches.batch_updated,
        description="The batch as it is now, then each time one of its generations changes status; completes with it.",
    )
    upload_updated: AsyncGenerator[Upload, None] = strawberry.subscription(
        resolver=resolvers.uploads.upload_updated,
        description="The upload as it is now, then each change; completes with READY, REJECTED or EXPIRED.",
    )
    image_published: AsyncGenerator[Image, None] = strawberry.subscription(
        resolver=resolvers.publications.image_published, description="New public images, newest as they appear."
    )
