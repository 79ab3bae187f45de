# The server alone: PostgreSQL and Valkey are elsewhere (docker-compose.yml), or embedded under /data.
FROM python:3.13-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
RUN useradd --create-home --uid 1000 usher && install --directory --owner usher --mode 0700 /data
WORKDIR /app
COPY requirements-runtime.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements-runtime.lock
COPY LICENSE ./
COPY protocol protocol
COPY actors actors
COPY server server
COPY bots bots
COPY static static
COPY sql sql

USER usher
VOLUME /data
EXPOSE 3001
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "server"]
CMD ["serve", "--host", "0.0.0.0", "--data-dir", "/data"]
