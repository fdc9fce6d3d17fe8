"""The API server: one generic machine, in which a kind is a row of data."""
