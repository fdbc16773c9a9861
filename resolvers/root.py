"""The API's table of contents: every field of the three roots, and what answers it."""

from collections.abc import AsyncGenerator

import strawberry
from strawberry.extensions import FieldExtension

import resolvers.generations
import resolvers.images
import resolvers.models
import resolvers.nodes
import resolvers.streams
import resolvers.viewer
from resolvers.errors import ErrorsAsData
from schema.events import GenerationEvent
from schema.model import Model
from schema.node import Node
from schema.payloads import CreateGenerationPayload, DeletePayload, GenerationPayload, ImagePayload
from schema.picture import Generation, GenerationConnection, Image, ImageConnection
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
    models: list[Model] = strawberry.field(resolver=resolvers.models.list_models, description="In their order.")
    model: Model | None = strawberry.field(resolver=resolvers.models.model, description="The model of that name.")
    generation: Generation | None = strawberry.field(
        resolver=resolvers.generations.generation, description="One of the caller's own."
    )
    generations: GenerationConnection = strawberry.field(
        resolver=resolvers.generations.list_generations, description="The caller's own, newest first."
    )
    image: Image | None = strawberry.field(resolver=resolvers.images.image, description="One that the caller may see.")
    images: ImageConnection = strawberry.field(resolver=resolvers.images.list_images, description="A gallery.")


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
