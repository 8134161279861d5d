"""Parsers, settings and classifiers without a server or a database."""
