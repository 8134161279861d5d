"""The WSGI entry point: `gunicorn app:app`, `flask migrate`."""

from ticketsvc.application import create_app
from ticketsvc.config import Config

app = create_app(Config.from_env())
