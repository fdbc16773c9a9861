"""Search, likes, tags, and what an operator hides."""

from db.migrations.script import run

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Run the SQL beside this file."""
    run("0007_gallery.sql")
