"""What the API may ask beyond its caller's rows."""

from db.migrations.script import run

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Run the SQL beside this file."""
    run("0005_functions.sql")
