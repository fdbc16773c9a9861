"""How a migration runs the SQL beside it."""

from pathlib import Path
from typing import Any

from alembic import op

LOCK_TIMEOUT = "SET LOCAL lock_timeout = '5s'"  # fail, rather than make every reader queue behind us
# An admin named `picture` would otherwise make the tables in the schema of that name.
SEARCH_PATH = "SET LOCAL search_path = public"


def run(name: str) -> None:
    """Run a file of several statements, in the migration's own transaction."""
    script = (Path(__file__).parent / "versions" / name).read_text()
    connection: Any = op.get_bind().connection.dbapi_connection
    op.execute(LOCK_TIMEOUT)
    op.execute(SEARCH_PATH)
    connection.run_async(lambda driver: driver.execute(script))
