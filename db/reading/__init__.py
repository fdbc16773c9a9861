"""What each field is in SQL: one line a field, a module a noun, for the statement that answers a whole query."""
