"""The commands of `flask`, a file for each group."""
