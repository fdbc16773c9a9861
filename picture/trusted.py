"""Documents that are trusted: a manifest by hash, as the tools of clients write it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from picture.trouble import Trouble

APOLLO = "apollo-persisted-query-manifest"


class ManifestError(Trouble):
    """The manifest of trusted documents cannot be used."""


def load(path: Path) -> dict[str, str]:
    """The documents of a manifest by their ids. Raises ManifestError.

    Either an object of id and document (Relay's `persistedQueries`, GraphQL Code Generator's
    `persisted-documents.json`), or Apollo's, with a list of `operations`.
    """
    try:
        manifest = orjson.loads(path.read_bytes())
    except OSError as error:
        raise ManifestError(f"{path} cannot be read: {error.strerror}.") from error
    except orjson.JSONDecodeError as error:
        raise ManifestError(f"{path} is not JSON: {error}.") from error
    documents = _apollo(manifest) if isinstance(manifest, dict) and manifest.get("format") == APOLLO else manifest
    if not isinstance(documents, dict) or not all(isinstance(text, str) for text in documents.values()):
        raise ManifestError(f"{path} is no object of hashes and documents, nor Apollo's manifest.")
    return {_bare(id): text for id, text in documents.items()}


def _apollo(manifest: Mapping[str, Any]) -> object:
    operations = manifest.get("operations")
    if not isinstance(operations, list) or not all(isinstance(each, dict) for each in operations):
        return None
    return {str(each.get("id")): each.get("body") for each in operations}


def _bare(id: str) -> str:
    """GraphQL over HTTP writes `sha256:` before a hash."""
    return id.removeprefix("sha256:")
