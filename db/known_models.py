"""The catalogue as it was a moment ago: few rows, asked for by every request, changed by a deployment."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from db.claims import ANONYMOUS
from db.database import Database
from db.errors import InvalidInputError, NotFoundError
from db.rows import Plain
from db.tables import ModelRow

T = TypeVar("T")

KNOWN_SECONDS = 5.0
MODELS = Plain(ModelRow)
ALL = f"array(select row({MODELS.columns('m')}) from models m)"  # noqa: S608 - the columns of a table


class KnownModels:
    """All models of one process. Who writes by what it says has the statement check that it is so still."""

    def __init__(self, db: Database, *, seconds: float = KNOWN_SECONDS) -> None:
        self._db = db
        self._seconds = seconds
        self._models: dict[UUID | str, ModelRow] = {}  # each by its id and by its slug
        self._shown: dict[UUID, Any] = {}
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

    def knows(self, id: UUID) -> bool:
        """Whether the model need not be read."""
        return id in self._models and time.monotonic() - self._read_at < self._seconds

    async def of_ids(self, ids: Iterable[UUID]) -> Mapping[UUID, ModelRow | None]:
        """The models of these ids; None where there is none."""
        if not all(map(self.knows, ids)):
            await self._read()
        return {id: self._models.get(id) for id in ids}

    def shown(self, id: UUID, make: Callable[[ModelRow], T]) -> T | None:
        """What `make` makes of the model, made once for as long as that is known; None when it has to be read."""
        if time.monotonic() - self._read_at >= self._seconds:
            return None
        if id not in self._shown and id in self._models:
            self._shown[id] = make(self._models[id])
        shown: T | None = self._shown.get(id)
        return shown

    def forget(self) -> None:
        """Read them again when next asked: they have changed."""
        self._read_at = -self._seconds

    async def _read(self) -> None:
        rows = [MODELS.of(row) for row in await self._db.direct.read(ALL, ANONYMOUS, {})]
        for row in rows:
            row.id = UUID(int=row.id.int)  # asyncpg's own takes orjson ten times as long
        self._models, self._shown = {key: row for row in rows for key in (row.id, row.slug)}, {}
        self._read_at = time.monotonic()
