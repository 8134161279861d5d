"""Helpers of the tests: clients, databases, sample data."""
