"""Scripts, documentation, container files and the embedded database."""
