# Build with everything, run with what is needed.
FROM rust:1-bookworm AS media
RUN apt-get update && apt-get install -y --no-install-recommends cmake && rm -rf /var/lib/apt/lists/*
WORKDIR /native
COPY native .
RUN cargo build --release --locked -p trunkline-worker

FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build --chown=root:root /app/node_modules node_modules
COPY --from=build --chown=root:root /app/dist dist
COPY --from=media --chown=root:root /native/target/release/trunkline-media dist/native/trunkline-media
COPY --from=build --chown=root:root /app/package.json /app/LICENSE /app/LICENSE-MIT /app/LICENSE-APACHE ./
USER node
# HTTP, SIP, media of browsers. Media of SIP peers (20000-29999/udp) is too wide to list: use the host's network.
EXPOSE 8080/tcp 5060/udp 5060/tcp 3480-3487/udp
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch(process.env.TRUNKLINE_HEALTH_URL ?? 'http://127.0.0.1:8080/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Node is process 1 and gets SIGTERM itself: calls are ended politely.
ENTRYPOINT ["node", "dist/main.js"]
CMD ["start"]
STOPSIGNAL SIGTERM
