"""gunicorn, the worker, logs and metrics, over real sockets."""
