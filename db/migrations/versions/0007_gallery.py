"""Search, likes, tags, and what an operator hides."""

from alembic import op
from sqlalchemy import text

from db.migrations.script import run

revision = "0007"
down_revision = "0006"

SHOWN = "where is_public and archived_at is null and hidden_at is null"
MINE, ARCHIVED = "where archived_at is null", "where archived_at is not null"
NEWEST, MOST_LIKED = "created_at desc, id desc", "like_count desc, created_at desc, id desc"
INDEXES = {
    "images_shown": f"images ({NEWEST}) include (user_id) {SHOWN}",
    "images_shown_by_owner": f"images (user_id, {NEWEST}) {SHOWN}",
    "images_shown_by_model": f"images (model_id, {NEWEST}) {SHOWN}",
    "images_most_liked": f"images ({MOST_LIKED}) {SHOWN}",
    "images_most_liked_by_model": f"images (model_id, {MOST_LIKED}) {SHOWN}",
    "images_most_liked_by_owner": f"images (user_id, {MOST_LIKED}) {MINE}",
    "images_archived_most_liked": f"images (user_id, {MOST_LIKED}) {ARCHIVED}",
    "image_tags_shown": "image_tags (tag_id, image_created_at desc, image_id desc) where is_public",
    "image_tags_by_owner": "image_tags (user_id, tag_id, image_created_at desc, image_id desc) include (is_public)",
    "image_likes_by_person": "image_likes (user_id, image_created_at desc, image_id desc)",
}
REPLACED = ("images_public", "images_public_by_model")
WORDS = text("select picture.index_words(:after, 2000)")


def upgrade() -> None:
    """Run the SQL beside this file, then build the indexes and index the words while others write."""
    run("0007_gallery.sql")
    with op.get_context().autocommit_block():
        op.execute("set search_path = public")
        for name, on in INDEXES.items():
            op.execute(f"drop index concurrently if exists {name}")  # an interrupted build leaves an invalid one
            op.execute(f"create index concurrently {name} on {on}")
        for name in REPLACED:
            op.execute(f"drop index concurrently if exists {name}")
        after = "00000000-0000-0000-0000-000000000000"
        while after:
            after = op.get_bind().scalar(WORDS, {"after": after})
