# One image for the service, the nightly job and MLflow's server; `compose.yaml` runs the three with PostgreSQL.
FROM python:3.11-slim

# LightGBM's threads
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*

WORKDIR /app
COPY requirements.lock .
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes --requirement requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY features features
COPY training training
COPY serving serving
COPY experiments experiments
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --editable . \
 # compiled once here, not at each start
 && python -m serving compile \
 && useradd --create-home regroup && mkdir /home/regroup/var && chown -R regroup /home/regroup /app

USER regroup
ENV REGROUP_HOME=/home/regroup/var \
    MLFLOW_DISABLE_TELEMETRY=true \
    PYTHONUNBUFFERED=1
VOLUME /home/regroup/var
EXPOSE 8000

HEALTHCHECK --interval=10s --start-period=60s \
  CMD python -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=5)"
# exec form: the signal to stop reaches the service, which drains
CMD ["python", "-m", "serving", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--wait"]
