"""Checks, indexes, and old rows in today's words."""

from db.migrations.script import run

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Run the SQL beside this file."""
    run("0003_rules.sql")
