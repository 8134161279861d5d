"""The service as people meet it: a real browser, driven by Playwright, against the service under gunicorn."""
