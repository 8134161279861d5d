"""The HTTP server: gunicorn's gevent worker with this service's own requests and responses."""
