"""Build responses: JSON, conditional requests, errors, security headers."""
