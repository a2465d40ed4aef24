# One image for every role: `api` (the default), `worker` and `migrate` are commands of the same program.

FROM node:24.21.0-bookworm-slim AS build
WORKDIR /platen
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY src src
COPY libs libs
COPY apps apps
RUN node node_modules/@nestjs/cli/bin/nest.js build \
  && node apps/studio/build.mjs \
  && npm prune --omit=dev --no-audit --no-fund

FROM node:24.21.0-bookworm-slim
# Node forwards no signals and buries no orphans as process 1; Chromium leaves some when it crashes.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends tini \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /platen
COPY --from=build /platen/node_modules node_modules
COPY --from=build /platen/dist dist
COPY package.json LICENSE ./
COPY examples examples
COPY deploy/probe.mjs deploy/probe.mjs

# glibc gives each thread a heap of its own and keeps what was freed there: with many of them, as decoders of images
# and V8 have, that is a third of what uploads add.
ENV MALLOC_ARENA_MAX=2
# Only /data and /tmp are written to: the rest of the file system may be read-only.
ENV NODE_ENV=production HOST=0.0.0.0 PLATEN_HOME=/data WORKER_PORT=3001
RUN install --directory --owner=node --group=node --mode=0700 /data
VOLUME /data
USER node
EXPOSE 3000 3001
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["node", "deploy/probe.mjs", "live"]
ENTRYPOINT ["tini", "--", "node", "dist/src/main.js"]
CMD ["api"]
