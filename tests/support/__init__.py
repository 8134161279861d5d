"""Helpers shared by the tests: clients, databases, sample data."""
