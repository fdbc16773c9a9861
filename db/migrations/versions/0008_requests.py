"""Batches, masks, deadlines and repeated requests."""

from db.migrations.script import run

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Run the SQL beside this file."""
    run("0008_requests.sql")
