# The pages' scripts and styles.
FROM node:22-bookworm-slim AS assets
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY assets assets
COPY static static
COPY views views
RUN npm run build

# The binary. DuckDB is linked in; the C++ runtime is not.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=assets /src/static/dist static/dist
RUN go build -tags duckdb_arrow -buildvcs=false -trimpath -ldflags='-s -w' -o /agnes .

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libstdc++6 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin agnes \
    && install -d -o agnes -g agnes -m 0700 /data
COPY --from=build /agnes /usr/local/bin/agnes

ARG AGNES_VERSION=
ARG AGNES_COMMIT_SHA=
ENV AGNES_ADDR=0.0.0.0:8000 \
    DATA_DIR=/data \
    CONFIG_DIR=/etc/agnes \
    AGNES_VERSION=$AGNES_VERSION \
    AGNES_COMMIT_SHA=$AGNES_COMMIT_SHA
USER agnes
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=12s --start-period=30s --retries=3 CMD ["/usr/local/bin/agnes", "health"]
ENTRYPOINT ["/usr/local/bin/agnes"]
CMD ["serve"]
