"""Images, and the tags that they carry."""

from db.reading.addresses import EXPIRES_AT, address
from db.reading.entries import Column, Entries, Many, One, columns, global_id, words

IMAGE: Entries = {
    **global_id("Image"),
    **columns("width", "height", "file_size", "blurhash", "prompt", "negative_prompt", "seed", "steps", "guidance"),
    **columns("is_public", "like_count", "created_at", "archived_at", "hidden_at"),
    **words("format"),
    "url": address("'full'"),
    "thumbnailUrl": address("{size}::text"),
    "downloadUrl": address("'download'"),
    "urlExpiresAt": EXPIRES_AT,
    "isFavorite": Column("({t}.is_favorite and {t}.user_id is not distinct from {viewer}::uuid)"),
    "rating": Column("case when {t}.user_id = {viewer}::uuid then {t}.rating end"),
    "likedByMe": Column("exists (select from image_likes l where l.user_id = {viewer}::uuid and l.image_id = {t}.id)"),
    "tags": Many("image_tags m join tags {t} on {t}.id = m.tag_id where m.image_id = {p}.id", order="{t}.name"),
    "owner": One("profiles {t} where {t}.id = {p}.user_id"),
    "model": One("models {t} where {t}.id = {p}.model_id"),
    "generation": One("image_generations {t} where {t}.id = {p}.generation_id"),
}
TAG: Entries = {
    **global_id("Tag"),
    **columns("name", "color"),
    "imageCount": Column(
        """{t}.public_count + (select count(*) from image_tags m
            where m.tag_id = {t}.id and m.user_id = {viewer}::uuid and not m.is_public)"""
    ),
}
