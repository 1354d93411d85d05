"""What Alembic runs around the versions: the connection and its transaction are `features.database.migrations`'s."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
