"""Postgres: sessions, tables, one module of SQL per noun, loaders, paging, migrations."""
