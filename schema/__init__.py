"""The vocabulary of the API: types, inputs, enums, payloads; no I/O, no decisions."""
