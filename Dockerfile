# One image for every process of the cluster; docker-compose.yml says which one a container runs.
FROM python:3.11-slim-bookworm

WORKDIR /opt/kubehop
COPY pyproject.toml README.md LICENSE ./
COPY cluster cluster
COPY node_agent node_agent
COPY control control
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check .
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1
COPY examples /apps
WORKDIR /apps
