# One image for every process of the cluster; docker-compose.yml says which one a container runs.
FROM python:3.11-slim-bookworm

# What kubehop needs, before any of its own code: this layer changes with pyproject.toml alone.
WORKDIR /opt/kubehop
RUN python -m venv /opt/venv
COPY pyproject.toml ./
RUN /opt/venv/bin/python -c "import tomllib; \
print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], 'setuptools>=68', sep='\n')" \
    > requirements.txt \
 && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check -r requirements.txt

COPY README.md LICENSE ./
COPY cluster cluster
COPY node_agent node_agent
COPY control control
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check \
    --no-deps --no-build-isolation .

# /kubehop is the mounted volume. A process runs as its owner, so that who started the cluster
# can read the kubeconfig and remove everything; sockets lie in /run/kubehop.
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1
RUN install -d -m 1777 /kubehop /run/kubehop
ENTRYPOINT ["/bin/sh", "-c", "exec setpriv --reuid \"$(stat -c %u /kubehop)\" --regid \"$(stat -c %g /kubehop)\" --clear-groups -- \"$@\"", "kubehop"]
COPY examples /apps
WORKDIR /apps
