"""A support-ticket backend: Flask in front, hand-written SQL behind, PostgreSQL for all data.

Importing the package imports nothing else: gunicorn's master imports parts of it before a worker's gevent patches the
standard library, and psycopg decides how it waits when it is imported (see gunicorn.conf.py).
"""

__version__ = "1.0.0"
