"""The catalogue as it was a moment ago: few rows, asked for by every request, changed by a deployment."""

import time
from uuid import UUID

from db import models
from db.claims import ANONYMOUS
from db.database import Database
from db.errors import InvalidInputError, NotFoundError
from db.tables import ModelRow

KNOWN_SECONDS = 5.0


class KnownModels:
    """All models of one process. Who writes by what it says has the statement check that it is so still."""

    def __init__(self, db: Database, *, seconds: float = KNOWN_SECONDS) -> None:
        self._db = db
        self._seconds = seconds
        self._models: dict[UUID | str, ModelRow] = {}  # each by its id and by its slug
        self._read_at = -seconds

    async def require(self, reference: UUID | str, *, path: tuple[str, ...] = ()) -> ModelRow:
        """The active model of an id or a slug; what would be refused is looked up anew.

        Raises NotFoundError, or InvalidInputError when it is no longer offered.
        """
        if time.monotonic() - self._read_at < self._seconds:
            known = self._models.get(reference)
            if known and known.is_active:
                return known
        await self._read()
        found = self._models.get(reference)
        if found is None:
            raise NotFoundError("There is no such model.", path=path, missing_id=reference)
        if not found.is_active:
            raise InvalidInputError(f"{found.name} is no longer offered.", path=path, code="MODEL_UNAVAILABLE")
        return found

    def forget(self) -> None:
        """Read them again when next asked: they have changed."""
        self._read_at = -self._seconds

    async def _read(self) -> None:
        async with self._db.as_user(ANONYMOUS) as session:
            rows = await models.page(session, include_inactive=True)
        self._models = {key: row for row in rows for key in (row.id, row.slug)}
        self._read_at = time.monotonic()
