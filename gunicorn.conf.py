"""How gunicorn runs the service. The figures behind the choices are in bench/RESULTS.md."""

import os
import sys

from ticketsvc import embedded, logs
from ticketsvc.config import Config

config = Config.from_env()

bind = f"0.0.0.0:{config.port}"
worker_class = "gevent"
workers = config.workers
worker_connections = 1000
keepalive = 75
graceful_timeout = 20
control_socket_disable = True
