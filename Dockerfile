# Two stages: one builds with the development tools, the other holds the program, its dependencies and no root.

FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY proto proto
COPY src src
RUN npm run build && npm prune --omit=dev

FROM node:22-bookworm-slim
ENV NODE_ENV=production MALLOC_MMAP_THRESHOLD_=1048576
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE README.md ./
USER node
# Clients, and the other members.
EXPOSE 6379 16379
# Healthy: the node answers, and knows a leader. A password is found in SESHAT_REQUIREPASS or SESHAT_REQUIREPASS_FILE.
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 CMD ["node", "dist/main.js", "health"]
# SIGTERM hands leadership over and answers what was accepted before the process ends.
STOPSIGNAL SIGTERM
# A small young generation: shorter pauses (docs/adr/0019-garbage.md).
ENTRYPOINT ["node", "--max-semi-space-size=4", "dist/main.js"]
