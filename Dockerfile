# Playhead's image: `docker build --tag playhead .` builds the SDK, the dashboard and the binary that carries both. The binary is the entry
# point, so that arguments are its own: `docker run playhead gateway --help`.

FROM node:22-bookworm-slim AS web
WORKDIR /src
# Packages first: they change less often than sources.
COPY sdk/package.json sdk/package-lock.json sdk/.npmrc sdk/
RUN cd sdk && npm ci
COPY dashboard/package.json dashboard/package-lock.json dashboard/.npmrc dashboard/
RUN cd dashboard && npm ci
COPY sdk sdk
COPY dashboard dashboard
COPY proto proto
COPY scripts/country.sh scripts/country.sh
RUN cd sdk && npm run --silent build
RUN cd dashboard && npm run --silent build
RUN scripts/country.sh

FROM rust:1.91-bookworm AS build
WORKDIR /src
# librdkafka is compiled against OpenSSL.
RUN apt-get update && apt-get install --yes --no-install-recommends libssl-dev pkg-config && rm -rf /var/lib/apt/lists/*
COPY . .
COPY --from=web /src/sdk/dist sdk/dist
COPY --from=web /src/dashboard/dist dashboard/dist
COPY --from=web /src/playhead/assets playhead/assets
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
  cargo build --release --locked --package playhead && install target/release/playhead /playhead

FROM debian:bookworm-slim
# The system's authorities are what S3's certificates are checked against.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates libssl3 && rm -rf /var/lib/apt/lists/*
COPY --from=build /playhead /usr/local/bin/playhead
USER 65532:65532
EXPOSE 7700
ENTRYPOINT ["/usr/local/bin/playhead"]
