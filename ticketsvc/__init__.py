"""A support-ticket backend: Flask in front, hand-written SQL behind, Postgres for everything that lasts.

Importing the package imports nothing: gunicorn's configuration reads parts of it before the worker's gevent has
patched the standard library, and psycopg chooses how it waits when it is imported (see `application`).
"""

__version__ = "1.0.0"
