"""Batches, masks, deadlines and repeated requests."""

from alembic import op

from db.migrations.script import run

revision = "0008"
down_revision = "0007"

INDEXES = {
    # the one that a repeated request may be answered with
    "generations_reuse": "(user_id, reuse_key) where status = 'completed' and reuse_key is not null",
    # what must have started by a certain time: nothing else is looked at by the sweep
    "generations_start_before": "(start_before) where status = 'queued' and start_before is not null",
}


def upgrade() -> None:
    """Run the SQL beside this file, then build the indexes while others write."""
    run("0008_requests.sql")
    with op.get_context().autocommit_block():
        op.execute("set search_path = public")
        for name, on in INDEXES.items():
            op.execute(f"drop index concurrently if exists {name}")  # an interrupted build leaves an invalid one
            op.execute(f"create index concurrently {name} on image_generations {on}")
