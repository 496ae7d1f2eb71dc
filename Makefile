# `make demo` and `make test` set up what they need. One optimised profile serves both: dependencies compile once.

CARGO ?= cargo
PYTHON ?= python3
PREFIX ?= $(HOME)/.local
TARGET := $(or $(CARGO_TARGET_DIR),target)
BINARY := $(TARGET)/release/probity

# One wheel per platform; hashes stand in onnxruntime.txt.
PLATFORM := $(shell uname -s)-$(shell uname -m)
WHEEL_PLATFORM_Linux-x86_64 := manylinux_2_28_x86_64
WHEEL_PLATFORM_Linux-aarch64 := manylinux_2_28_aarch64
WHEEL_PLATFORM_Darwin-arm64 := macosx_14_0_arm64
WHEEL_PLATFORM := $(WHEEL_PLATFORM_$(PLATFORM))
LIBRARY := $(if $(filter Darwin%,$(PLATFORM)),libonnxruntime.dylib,libonnxruntime.so)
ORT := $(TARGET)/onnxruntime
# The stamp carries the pins' own checksum: a fresh checkout beside an old build folder fetches nothing again.
STAMP := $(ORT)/.ready-$(shell cksum onnxruntime.txt | cut -d' ' -f1)

.PHONY: help onnxruntime build demo test check fuzz browser bench docs install clean

help: ## What can be made
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

onnxruntime: $(STAMP) ## Fetch ONNX Runtime's library (pinned, hash-checked)

$(STAMP):
	@test -n "$(ORT_DYLIB_PATH)$(WHEEL_PLATFORM)" || { \
	  echo "no pinned ONNX Runtime wheel for $(PLATFORM): set ORT_DYLIB_PATH to its library"; exit 1; }
	@rm -rf $(ORT) && mkdir -p $(ORT)/wheel
	@if [ -z "$(ORT_DYLIB_PATH)" ]; then \
	  echo "fetching ONNX Runtime for $(PLATFORM)"; \
	  $(PYTHON) -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
	    --platform $(WHEEL_PLATFORM) --python-version 3.12 --implementation cp --abi cp312 \
	    --dest $(ORT)/wheel -r onnxruntime.txt && \
	  $(PYTHON) -m zipfile -e $(ORT)/wheel/onnxruntime-*.whl $(ORT)/wheel && \
	  cp $(ORT)/wheel/onnxruntime/capi/libonnxruntime.*1.31.1* $(ORT)/$(LIBRARY) && \
	  cp $(ORT)/wheel/onnxruntime/LICENSE $(ORT)/wheel/onnxruntime/ThirdPartyNotices.txt $(ORT)/ ; \
	fi
	@rm -rf $(ORT)/wheel && touch $@

build: onnxruntime ## Build the binary
	$(CARGO) build --release --locked

demo: build ## Audit the shipped model on real data and say where the report is
	$(BINARY) run pipelines/adult-income.toml

test: build ## Run every test
	$(CARGO) test --release --locked

check: onnxruntime ## Formatting, lints, documentation, licences
	$(CARGO) fmt --check
	$(CARGO) clippy --release --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --locked --no-deps
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny check licenses bans sources; \
	else echo "cargo-deny is not installed: licences, bans and sources were NOT checked (cargo install cargo-deny)"; fi

fuzz: ## Fuzz everything that reads ONNX files for ten minutes (needs cargo-fuzz and a nightly toolchain)
	mkdir -p $(TARGET)/fuzz && cp data/*.onnx $(TARGET)/fuzz/
	$(CARGO) +nightly fuzz run --fuzz-dir tests/fuzz onnx_reader $(TARGET)/fuzz -- \
	  -max_total_time=600 -max_len=20000 -rss_limit_mb=2048 -malloc_limit_mb=1024

browser: build ## Look at a report in headless Chromium (needs chromium, node and npm)
	tests/browser/run $(BINARY)

bench: build ## Measure
	$(CARGO) bench --locked

docs: build ## Print again what is made from the source
	$(BINARY) metrics > docs/metrics.md
	$(BINARY) schema > pipelines/pipeline.schema.json

install: build ## Install the binary and ONNX Runtime's library below PREFIX
	$(CARGO) install --locked --path . --root $(PREFIX) --force
	mkdir -p $(PREFIX)/lib/probity && cp $(ORT)/$(LIBRARY) $(PREFIX)/lib/probity/

clean: ## Remove what was built
	$(CARGO) clean
