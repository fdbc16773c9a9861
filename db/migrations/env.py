"""Alembic's way in: each migration is a transaction of its own, on the connection that `db.migrate` opened."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transaction_per_migration=True,
    version_table_schema="picture",
)
with context.begin_transaction():
    context.run_migrations()
