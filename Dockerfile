# syntax=docker/dockerfile:1
# The service without a database. Set DATABASE_URL, and run `flask migrate` once for each release before starting it.
# With `--build-arg TRIAGE_ENCODER=on` it has the encoder, and the setting is on.

FROM python:3.13-slim AS packages
ARG TRIAGE_ENCODER=off
COPY requirements.txt requirements-encoder.txt ./
# The final image has no pip, setuptools or caches.
RUN python -m venv --without-pip /opt/venv \
    && if [ "$TRIAGE_ENCODER" = on ]; then encoder="-r requirements-encoder.txt"; fi \
    && pip --python /opt/venv/bin/python install --no-cache-dir --no-compile --require-hashes \
        -r requirements.txt $encoder \
    && /opt/venv/bin/python -m compileall -q /opt/venv/lib

FROM python:3.13-slim
# ca-certificates: requests to the model use TLS, and the HTTP client has no certificates of its own.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin ticketsvc
COPY --from=packages /opt/venv /opt/venv
WORKDIR /srv
COPY app.py gunicorn.conf.py ./
COPY migrations migrations
COPY sql sql
COPY ticketsvc ticketsvc
RUN /opt/venv/bin/python -m compileall -q app.py ticketsvc
ARG TRIAGE_ENCODER=off
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PORT=3000 TRIAGE_ENCODER=$TRIAGE_ENCODER
USER 10001
EXPOSE 3000
# Checks /livez, since a container must not be restarted because the database is down. Route traffic by /readyz.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/livez', timeout=4)"]
# gunicorn is process 1 and receives the SIGTERM, on which it finishes the requests in flight.
CMD ["gunicorn", "app:app"]
