"""Validators shared by the HTTP API, the command line and the file readers."""
