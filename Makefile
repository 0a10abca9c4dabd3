# What one does with this repository. `make` lists it.
.DEFAULT_GOAL := help
CARGO_TARGET_DIR ?= target
.PHONY: help run test soak fuzz control-plane crds fmt lint bench

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

run: ## Answer checks for examples/acme on http://127.0.0.1:8080
	cargo run --locked -- serve --manifests examples/acme

test: ## Format check, lints, documentation and every test, on a real Kubernetes API server
	hack/test

soak: ## Run the long scenarios (half an hour), and write what they measure into docs/soak.md
	hack/soak

fuzz: ## Fuzz every parser of outside input, a minute each, and write what came of it into docs/fuzzing.md
	hack/fuzz

control-plane: ## Run a Kubernetes API server with the kinds installed, to play with, until Ctrl-C
	hack/control-plane/run

crds: ## Write crds/ anew from src/api
	cargo run --locked --quiet -- crds --out crds

fmt: ## Format the code
	cargo fmt

lint: ## Check format and lints
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked --all-targets --features otel -- -D warnings
	cargo fmt --manifest-path benches/Cargo.toml --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo clippy --locked --manifest-path benches/Cargo.toml --target-dir $(CARGO_TARGET_DIR) --all-targets -- -D warnings

bench: ## Measure, beside its rivals, and write what is measured into docs/benchmarks/
	hack/bench
