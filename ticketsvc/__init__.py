"""A support-ticket backend: Flask in front, hand-written SQL behind, PostgreSQL for all data.

Importing the package imports nothing else: gunicorn's configuration reads parts of it before the worker's gevent has
patched the standard library, and psycopg chooses how it waits when it is imported (see `gunicorn.conf.py`).
"""

__version__ = "1.0.0"
