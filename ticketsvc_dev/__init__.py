"""Development only: embedded PostgreSQL and demo data. Nothing here is imported in production."""
