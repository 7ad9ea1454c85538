# docker build -f infra/docker/app.Dockerfile --build-arg APP=apps/orders -t cairn/orders .
# docker build -f infra/docker/app.Dockerfile --build-arg APP=infra/simulators --target simulators -t cairn/simulators .
#
# The images of all apps; the context is the root of the repository. Why it is one file: docs/adr/0005-images-and-compose.md.

# A pipeline pins it: --build-arg BASE=node:24-bookworm-slim@sha256:…
ARG BASE=node:24-bookworm-slim

# Everything up to the bundle is JavaScript and runs where it is built, for whatever platform the image is.
FROM --platform=$BUILDPLATFORM $BASE AS manifests
WORKDIR /repo
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json ! -name .npmrc -delete && find . -type d -empty -delete

# Hangs on the manifests only: no edit of a source file installs anything again, and all apps share this layer.
FROM --platform=$BUILDPLATFORM $BASE AS dependencies
WORKDIR /repo
COPY --from=manifests /repo ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund

FROM dependencies AS build
ARG APP
ENV PATH=/repo/node_modules/.bin:$PATH
COPY tsconfig.base.json ./
COPY tools/build tools/build
COPY libs libs
COPY ${APP} ${APP}
RUN node tools/build/main.ts "$APP" --standalone
COPY infra/docker/healthcheck.cjs ./
# The same sources give the same layer, byte for byte, whenever and wherever it is built: no file tells the time.
RUN mkdir -p /image/app \
    && mv "$APP"/bundle/* healthcheck.cjs /image/app/ \
    && chmod -R u=rwX,go=rX /image \
    && find /image -exec touch --no-dereference --date=@0 {} +

# What V8 compiled goes into the image: a fifth less processor time until it is ready. It is this platform's and this user's.
FROM $BASE AS compiled
COPY --from=build /image/ /
WORKDIR /app
ENV NODE_COMPILE_CACHE=/image/compiled
RUN install --directory --owner=1000 /image /image/compiled
USER 1000:1000
# What V8 writes has its hashes in it, which begin at a random seed: a fixed one gives the same bytes each time, and readers need
# not have it. Node keeps the files to itself by mode; what has no other owner than root has to be readable by all.
RUN node --random-seed=1 -e "Promise.all(fs.globSync('{start,sdk}-*.js').map((file) => import('./' + file))).then(() => process.exit())" \
    && chmod -R u=rwX,go=rX /image \
    && find /image -exec touch --no-dereference --date=@0 {} +

FROM $BASE AS data
RUN install --directory /image/data && touch --date=@0 /image/data

# A third party that Cairn stands in for. Not NODE_ENV=production: they give anyone a token, and refuse to start there.
FROM $BASE AS simulators
ARG VERSION=0.0.0 REVISION=unknown SOURCE="" CREATED=""
ENV HOST=0.0.0.0 GATEWAY_JOURNAL=/data/gateway.jsonl ISSUER_KEY_FILE=/data/issuer-key.json
# Copied, and not made here: a RUN leaves the time in /etc.
COPY --from=data --chown=1000:1000 /image/ /
VOLUME /data
COPY --from=build /image/ /
WORKDIR /app
USER 1000:1000
EXPOSE 14010 14011 14012
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s CMD ["node", "healthcheck.cjs", "GATEWAY_PORT:14010/health", "ISSUER_PORT:14011/health", "TRACES_PORT:14012/health"]
ENTRYPOINT ["node", "--max-old-space-size-percentage=70", "main.js"]
LABEL org.opencontainers.image.title="cairn/simulators" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.source="$SOURCE" \
      org.opencontainers.image.created="$CREATED" \
      org.opencontainers.image.licenses="Apache-2.0"

FROM $BASE AS app
ARG APP VERSION=0.0.0 REVISION=unknown SOURCE="" CREATED=""
ENV NODE_ENV=production NODE_COMPILE_CACHE=/compiled SERVICE_VERSION=$VERSION
# Root's, and the process is nobody's who could change them.
COPY --from=build /image/ /
COPY --from=compiled --chown=0:0 /image/ /
WORKDIR /app
# "node" by number: of a name no orchestrator can tell that it is not root.
USER 1000:1000
# The same in all apps; the API's port is the app's own (PORT), and an image does not know it.
EXPOSE 9464
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s CMD ["node", "healthcheck.cjs", "METRICS_PORT:9464/health/ready"]
# Node is the first process and takes SIGTERM itself. The heap ends below the container's limit, so that V8 says what was too much
# before the kernel kills.
ENTRYPOINT ["node", "--max-old-space-size-percentage=70", "--import", "./telemetry.js", "main.js"]
CMD ["all"]
# Last, as they differ from build to build. CREATED is the commit's time (RFC 3339), not the build's.
LABEL org.opencontainers.image.title="$APP" \
      org.opencontainers.image.vendor="Cairn" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.source="$SOURCE" \
      org.opencontainers.image.created="$CREATED" \
      org.opencontainers.image.licenses="Apache-2.0"
