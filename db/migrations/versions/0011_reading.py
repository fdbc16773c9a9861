"""What the compiled read path asks of Postgres."""

from db.migrations.script import run

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Run the SQL beside this file."""
    run("0011_reading.sql")
