"""The tables."""

from db.migrations.script import run

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Run the SQL beside this file."""
    run("0002_old_tables.sql")
    run("0002_tables.sql")
