"""Roles, claims and who the viewer is."""

from db.migrations.script import run

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Run the SQL beside this file."""
    run("0001_identity.sql")
