"""Who sees and changes what."""

from db.migrations.script import run

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Run the SQL beside this file."""
    run("0004_row_level_security.sql")
