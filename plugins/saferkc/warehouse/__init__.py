"""The warehouse database: connections, the embedded PostgreSQL and migrations."""
