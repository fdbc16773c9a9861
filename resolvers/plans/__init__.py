"""A query as one SQL statement, whose text is the answer: for what has an entry in `db.reading`, and for no other."""
