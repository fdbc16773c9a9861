"""How long a worker fetched, rendered and stored, each."""

from db.migrations.script import run

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Run the SQL beside this file."""
    run("0006_durations.sql")
