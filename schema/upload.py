"""An upload: where its bytes are sent to, and what came of them."""

from datetime import datetime

import strawberry

from db.tables import UploadRow
from schema.context import Info
from schema.enums import UploadStatus, UserErrorCode
from schema.errors import InvalidInputError
from schema.fields import computed, neighbour
from schema.node import Node, global_id
from schema.picture import Image
from storage.puts import METHOD, Put


@strawberry.type(description="A header that is to be sent along.")
class UploadHeader:
    name: str = strawberry.field(description="Its name.")
    value: str = strawberry.field(description="Its value, exactly.")


@strawberry.type(
    description="Where to PUT the bytes, straight to storage; then call completeUpload, and watch it become READY or "
    "REJECTED."
)
class Upload(Node):
    row: strawberry.Private[UploadRow]
    status: UploadStatus = strawberry.field(description="Where it stands.")
    expires_at: datetime = strawberry.field(
        description="When it ends at the latest, READY or not; `url` may end earlier, after an hour: then ask again."
    )

    @computed("Made anew each time that it is asked for; null once it is no longer PENDING.")
    async def url(self, info: Info) -> str | None:
        if self.status is not UploadStatus.PENDING:
            return None
        row = self.row
        return await info.context.puts.url(Put(row.id, row.object_key, row.size, row.content_type, row.expires_at))

    @computed("PUT; null once it is no longer PENDING.")
    def method(self) -> str | None:
        return METHOD if self.status is UploadStatus.PENDING else None

    @computed("All that the signature covers and a browser may set.")
    def headers(self) -> list[UploadHeader]:
        if self.status is not UploadStatus.PENDING:
            return []
        return [UploadHeader(name="Content-Type", value=self.row.content_type)]

    image: Image | None = neighbour("When READY, until it is deleted.", "images", "row.image_id", Image.of)

    @computed("When REJECTED.")
    def error(self) -> InvalidInputError | None:
        code, message = self.row.error_code, self.row.error_message
        return InvalidInputError(message=message, code=UserErrorCode(code.upper())) if code and message else None

    @classmethod
    def of(cls, row: UploadRow) -> "Upload":
        """The upload that `row` holds."""
        return cls(id=global_id("Upload", row.id), row=row, status=UploadStatus(row.status), expires_at=row.expires_at)
