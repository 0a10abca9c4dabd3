# syntax=docker/dockerfile:1

FROM rust:1.95-alpine AS build
# ring and mimalloc compile C.
RUN apk add --no-cache musl-dev gcc
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY src src
# Cargo.toml names them.
COPY benches benches
# `otel` sends spans to an OpenTelemetry collector.
ARG FEATURES=""
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin bailiwick --features "$FEATURES" && cp target/release/bailiwick /bailiwick

FROM gcr.io/distroless/static:nonroot
LABEL org.opencontainers.image.title="Bailiwick" \
      org.opencontainers.image.description="Fine-grained authorization, declared in Kubernetes" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /bailiwick /usr/local/bin/bailiwick
USER 65532:65532
EXPOSE 8080 8081
ENTRYPOINT ["/usr/local/bin/bailiwick"]
CMD ["run"]
