# Three images: `service` has what answering needs; `training` has MLflow too, for its server and the nightly job;
# `proxy` has nginx.
# `compose.yaml` runs them with PostgreSQL. Both run as a user who owns no code, on a file system that is only read.
# A new digest: docker buildx imagetools inspect python:3.11-slim
FROM python:3.11-slim@sha256:9c900dea9e8fb7e16277c179b555cc72d29a352dbc33cff48ad5a0412fd5bfc7 AS base

# LightGBM's threads; the folders are what volumes are mounted on, and belong to nobody else
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 1000 --create-home regroup \
 && install --directory --owner regroup --group regroup --mode 700 \
    /home/regroup/var /home/regroup/erasures /home/regroup/mlruns
# nothing can be written beside the code: compiled kernels are copied from there to a place in memory
ENV REGROUP_HOME=/home/regroup/var \
    REGROUP_ERASURES=/home/regroup/erasures/erasures.jsonl \
    NUMBA_CACHE_DIR=/tmp/numba \
    MLFLOW_DISABLE_TELEMETRY=true \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONDONTWRITEBYTECODE=1 \
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
RUN env --unset NUMBA_CACHE_DIR python -m experiments compile \
 && python -m hatchling build --target wheel --directory /dist


# In front of the service: TLS and limits, by nginx.conf, which is mounted.
FROM base AS proxy
RUN apt-get update && apt-get install --yes --no-install-recommends nginx && rm -rf /var/lib/apt/lists/*
USER regroup
CMD ["nginx", "-g", "daemon off;"]


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
