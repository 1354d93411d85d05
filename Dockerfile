# Two images: `service` has what answering needs; `training` has MLflow too, for its server and the nightly job.
# `compose.yaml` runs them with PostgreSQL.
FROM python:3.11-slim AS base

# LightGBM's threads
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home regroup && mkdir /home/regroup/var && chown regroup /home/regroup/var
ENV REGROUP_HOME=/home/regroup/var \
    MLFLOW_DISABLE_TELEMETRY=true \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONUNBUFFERED=1


FROM base AS locked
COPY requirements.lock .
RUN pip install --require-hashes --requirement requirements.lock


# The wheel, with the kernels compiled: no container compiles anything.
FROM locked AS wheel
WORKDIR /app
COPY pyproject.toml README.md LICENSE hatch_build.py ./
COPY features features
COPY training training
COPY serving serving
COPY experiments experiments
RUN python -m experiments compile && python -m hatchling build --target wheel --directory /dist


FROM locked AS training
RUN --mount=from=wheel,source=/dist,target=/dist pip install --no-deps /dist/*.whl
USER regroup
WORKDIR /home/regroup
VOLUME /home/regroup/var
CMD ["python", "-m", "training", "nightly"]


FROM base AS service
COPY requirements-serve.lock .
RUN pip install --require-hashes --requirement requirements-serve.lock
RUN --mount=from=wheel,source=/dist,target=/dist pip install --no-deps /dist/*.whl
USER regroup
WORKDIR /home/regroup
VOLUME /home/regroup/var
EXPOSE 8000

HEALTHCHECK --interval=10s --start-period=60s \
  CMD python -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=5)"
# exec form: the signal to stop reaches the service, which drains
CMD ["python", "-m", "serving", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--wait", \
     "--bundle", "/home/regroup/var/bundle"]
