"""Past the executor: a query as one SQL statement, whose text is the answer, for what has an entry in `db.reading`;
a mutation's plain payload as JSON."""
