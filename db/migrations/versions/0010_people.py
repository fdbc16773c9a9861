"""Reports, the audit trail, and accounts that end."""

from db.migrations.script import run

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Run the SQL beside this file."""
    run("0010_people.sql")
