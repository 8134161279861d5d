"""Checks that the address of HOST and PORT can be bound: `python -m ticketsvc_dev.free_port`.

script/server runs it before it says where it serves: gunicorn would find out later, after five attempts.
"""

from __future__ import annotations

import os
import socket

from ticketsvc.config import Config

if __name__ == "__main__":
    config = Config.from_env()
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as gunicorn does
        try:
            listener.bind((config.host, config.port))
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise SystemExit(
                f"Cannot listen on port {config.port} of {config.host}: {reason}."
                " Choose another port, such as PORT=3001 script/server."
            ) from None
