# Every target does its own set-up on a fresh machine with Rust (rustup).

CARGO ?= cargo
# One profile for the binary, the tests and the benchmarks: wasmtime is compiled once.
PROFILE := --release
SLUICEGATE := target/release/sluicegate

.PHONY: build demo test e2e lint bench clean target

build: target
	$(CARGO) build $(PROFILE)

# The tests build the binary as well, with libraries of other features: what they have built is not built again.
$(SLUICEGATE): $(shell find Cargo.toml Cargo.lock wit guest host -type f -not -path '*/target/*') | target
	$(CARGO) build $(PROFILE)

## The main job on real requests: refused and explained, or let pass.
demo: $(SLUICEGATE)
	@sh tests/demo/run.sh $(SLUICEGATE)

test: target
	$(CARGO) test $(PROFILE) --workspace

## With real parts: Flink, its client and web page, Envoy, nginx, Chromium. Installs them (as root), and takes some minutes.
e2e: target
	tests/e2e/install.sh
	$(CARGO) test $(PROFILE) --workspace --test e2e

lint: target
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(PROFILE) --workspace --all-targets -- -D warnings
	$(CARGO) clippy $(PROFILE) -p sluicegate-policy --target wasm32-unknown-unknown -- -D warnings

## Numbers with budgets: DESIGN and README quote them.
bench: target
	$(CARGO) bench --workspace --bench decision
	$(CARGO) bench --workspace --bench load

clean:
	$(CARGO) clean

# The policy is compiled to WebAssembly; a fresh toolchain lacks this target.
target:
	@rustup target list --installed | grep -qx wasm32-unknown-unknown || rustup target add wasm32-unknown-unknown
