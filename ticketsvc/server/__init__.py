"""How HTTP is served: gunicorn's gevent worker, with a request and a response that do what this service needs."""
