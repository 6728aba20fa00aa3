# Two stages: the first installs what the locks name and collects the browser files, the
# second holds what runs, as a user without rights.
FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH
COPY requirements.lock ./
RUN pip install -q --require-hashes -r requirements.lock

# npm comes from a wheel and stays behind in this stage.
COPY requirements-node.lock package.json package-lock.json .npmrc ./
RUN python -m venv /node \
    && /node/bin/pip install -q --require-hashes -r requirements-node.lock \
    && PATH=/node/bin:$PATH npm ci --omit=dev --loglevel=error
COPY . .
RUN python scripts/vendor.py && rm -rf node_modules \
    && python -m compileall -q engine jobs webapp wsgi.py \
    && pip install -q --no-deps -e .

FROM python:3.13-slim
RUN useradd --create-home --uid 1000 studio && mkdir /data && chown studio /data
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER studio
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 PORT=8501 STUDIO_DATA=/data
VOLUME /data
EXPOSE 8501
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=3s --start-period=20s CMD ["python", "-c", \
  "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=2)"]
CMD ["studio", "serve"]
