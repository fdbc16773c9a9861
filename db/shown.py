"""Rows as they are read to be shown: without the columns that nothing in the API tells of."""

from db.rows import Plain
from db.tables import GenerationRow, ImageRow, TagRow

IMAGES = Plain(ImageRow, without=("attempt_id", "image_index", "storage_path", "small_path", "medium_path", "filename"))
GENERATIONS = Plain(
    GenerationRow,
    without=(
        "user_id", "engine", "mask_image_id", "is_public", "tags", "start_before", "batch_index", "priority", "tag",
        "not_before", "reserved_by", "worker", "attempt_id", "lease_until", "retry_count", "updated_at",
    ),
)  # fmt: skip
TAGS = Plain(TagRow, without=("created_by", "public_count", "created_at"))
