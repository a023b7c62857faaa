# Agnes. `make` lists the targets.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help

# The bindings' Arrow functions are behind this tag.
TAGS := -tags duckdb_arrow
LINT := go tool -modfile=.ci/lint.mod golangci-lint

TEMPL := $(shell find views -name '*.templ' 2>/dev/null)
GENERATED := $(TEMPL:.templ=_templ.go)
# Tailwind reads class names from the views, so they make the stylesheet too.
ASSET_SOURCES := $(shell find assets static/src views -type f ! -name '*_templ.go' ! -name '*_test.go' 2>/dev/null)
# Without symbols and debug information, which panics and profiles do without, the
# binary is a quarter smaller.
SMALL := -ldflags='-s -w'
# go build fails on a clone that git refuses to read, such as one of another owner.
VCS := $(shell git status --short >/dev/null 2>&1 && echo auto || echo false)

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build ## Build and start Agnes; ARGS="--addr :9000" adds flags
	@exec ./agnes serve $(ARGS)

.PHONY: dev
dev: need assets ## Start Agnes and again after every change of a source file
	@exec bash .ci/dev $(ARGS)

.PHONY: build
build: need assets generated ## Build ./agnes
	@go build $(TAGS) -buildvcs=$(VCS) -trimpath $(SMALL) -o agnes .

.PHONY: test
test: need assets ## Run the tests
	go test $(TAGS) -shuffle=on ./...

.PHONY: race
race: need assets ## Run the tests of the pure Go packages under the race detector
	go test $(TAGS) -race -shuffle=on ./domain/... ./jobs/... ./handlers/...

.PHONY: check
check: ## Run all that CI runs
	@bash .ci/run

.PHONY: e2e
e2e: build ## Run the browser journeys (needs Chromium)
	@bash .ci/need chromium
	@node --test --test-concurrency=1 --test-timeout=240000 e2e/*.test.mjs

.PHONY: faults
faults: need assets ## Run the fault campaign, long; ARGS="-only F1 -seed 7" narrows it
	@go test -c $(TAGS) -o bin/faults.test ./faults && exec bin/faults.test -campaign long $(ARGS)

.PHONY: faults-short
faults-short: need assets ## Run the fault campaign in the short form of CI
	@go test -c $(TAGS) -o bin/faults.test ./faults && exec bin/faults.test -campaign short $(ARGS)

.PHONY: attacks
attacks: need assets ## Run the attack campaign, long; ARGS="-only S1 -seed 7" narrows it
	@go test -c $(TAGS) -o bin/attacks.test ./attacks && exec bin/attacks.test -campaign long $(ARGS)

.PHONY: attacks-short
attacks-short: need assets ## Run the attack campaign in the short form of CI
	@go test -c $(TAGS) -o bin/attacks.test ./attacks && exec bin/attacks.test -campaign short $(ARGS)

.PHONY: bench
bench: need assets ## Run the benchmarks
	go test $(TAGS) -run '^$$' -bench . -benchmem ./...

.PHONY: assets
assets: need static/dist/manifest.json ## Build static/dist from npm packages and static/src

static/dist/manifest.json: node_modules/.package-lock.json $(ASSET_SOURCES)
	@npm run --silent build
	@touch $@

node_modules/.package-lock.json: package-lock.json package.json
	npm ci --no-audit --no-fund
	@touch $@

.PHONY: generate
generate: need ## Write Go from all templ files
	go tool templ generate

# For build: only what changed, because the generated files are committed.
.PHONY: generated
generated: $(GENERATED)

%_templ.go: %.templ
	go tool templ generate -f $<
	@touch $@

.PHONY: lint
lint: need assets ## Run the linters
	$(LINT) run

.PHONY: fmt
fmt: need ## Format Go and templ files
	$(LINT) fmt
	go tool templ fmt views

.PHONY: size
size: ## Report file sizes; none may exceed 500 lines
	@bash .ci/size

.PHONY: clean
clean: ## Remove what was built; data and packages stay
	rm -rf agnes bin e2e/out
	find static/dist -mindepth 1 ! -name .keep -delete 2>/dev/null || true

.PHONY: need
need:
	@bash .ci/need
