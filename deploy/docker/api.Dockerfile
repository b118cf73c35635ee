# Built from the root of the repository: docker build -f deploy/docker/api.Dockerfile -t parley/api:0.1.0 .
# The first two stages are those of the other app, too: built once, they serve both.

# What npm must know, and nothing else: a changed source does not install again.
FROM node:24.21.0-bookworm-slim AS manifests
WORKDIR /app
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json ! -name .npmrc -delete && find . -type d -empty -delete

FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
ENV NX_DAEMON=false
COPY --from=manifests /app ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build
RUN mkdir ../built && cp -r --parents packages/*/dist apps/*/dist ../built

# Only what runs. npm would bring what the tests need where it sees that there are tests.
FROM node:24.21.0-bookworm-slim AS production
WORKDIR /app
COPY --from=manifests /app ./
RUN rm -r packages/testing packages/client apps/web && npm ci --omit=dev --ignore-scripts --no-audit --no-fund --workspace=@parley/api && mkdir ../attachments

# No shell, no package manager, not root (65532). Its entry point is /nodejs/bin/node.
FROM gcr.io/distroless/nodejs24-debian12:nonroot
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 OPS_PORT=3001 ATTACHMENTS_DIR=/attachments
COPY --from=production --chown=65532:65532 /attachments /attachments
COPY --from=production /app ./
COPY --from=build /built ./
COPY deploy/docker/healthcheck.mjs ./
USER 65532:65532
EXPOSE 3000 3001
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["/nodejs/bin/node", "healthcheck.mjs"]
CMD ["apps/api/dist/main.js"]
