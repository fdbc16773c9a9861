"""Every field that a statement can answer, by type; what has arguments is in `resolvers.plans.arguments`."""

from collections.abc import Mapping

from db.reading.entries import Entries
from db.reading.generations import FAILURE, GENERATION
from db.reading.images import IMAGE, TAG
from db.reading.models import MODEL
from db.reading.people import PROFILE

ENTRIES: Mapping[str, Entries] = {
    "Generation": GENERATION,
    "GenerationFailure": FAILURE,
    "Image": IMAGE,
    "Model": MODEL,
    "Profile": PROFILE,
    "Tag": TAG,
}
