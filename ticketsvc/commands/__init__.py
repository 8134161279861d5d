"""The groups of commands that `flask` gets, one a file."""
