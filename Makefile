# What a person or CI runs. Go, make and git are enough for build, demo, test,
# bench, fuzz, e2e and soak; check also needs a C compiler.

GO       ?= go
ARGS     ?=
FUZZTIME ?= 20s
BENCH    ?=
SOAKTIME ?= 60m

# The linter is built from source once for each version, by the Go that is used.
LINT_VERSION := v2.15.0
LINT         := bin/golangci-lint-$(LINT_VERSION)

export CGO_ENABLED = 0

.DEFAULT_GOAL := help
.PHONY: help build demo test check vet format lint layers race bench fuzz e2e newuser soak clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/selvedge, one static binary
	$(GO) build -trimpath -ldflags '-s -w' -o bin/selvedge ./cmd/selvedge

demo: build ## run it with simulated applications; ARGS=--once ends when the files are there
	./bin/selvedge demo $(ARGS)

test: ## run all tests
	$(GO) test -shuffle=on -timeout 30m ./...

check: vet format lint layers race ## vet, formatting, linter, layering, and all tests but e2e with -race (needs gcc)

vet:
	$(GO) vet ./...

format:
	@unformatted="$$(gofmt -l .)"; test -z "$$unformatted" || { echo "not formatted, run gofmt -w:"; echo "$$unformatted"; exit 1; }

lint: $(LINT)
	$(LINT) run ./...

$(LINT):
	GOBIN="$(CURDIR)/bin" GOFLAGS= $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	mv bin/golangci-lint $(LINT)

layers:
	$(GO) test ./internal/layers

# e2e drives the real binary in processes of its own, where -race sees nothing. The
# second run of a package's tests, on PostgreSQL, is left to test: what is the
# same code but for the dialect would take as long again. So are the simulations of
# many days, in which one goroutine does everything.
ALONE := TestOnPostgreSQL|TestNothingIsLostToLateness|TestWhereRecordsShowLateIsReadHourly|TestAnOldWindowThatCannotBeReadIsAGap|TestAMonthLeavesTheTablesFlat

race:
	@command -v $${CC:-gcc} >/dev/null || { echo "make check: -race needs a C compiler, and $${CC:-gcc} is not here. On Debian: apt-get install gcc libc6-dev. make test needs none."; exit 1; }
	CGO_ENABLED=1 $(GO) test -race -shuffle=on -skip '^($(ALONE))$$' -timeout 30m $$($(GO) list ./... | grep -v /e2e)

bench: ## print figures beside their targets; ARGS="start api" picks sections, BENCH=name runs benchmarks of packages instead
	$(if $(BENCH),$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem ./...,$(GO) run ./internal/bench $(ARGS))

fuzz: ## run every fuzz target for FUZZTIME each
	@set -e; for package in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "$$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

e2e: ## run the tests that drive the real binary with real clients
	$(GO) test -count=1 -timeout 30m -v ./e2e/...

newuser: ## time a new user's path, from clone to the first event; COLD=1 builds with an empty cache
	$(GO) test -count=1 -v -run TestTheNewUsersPath ./e2e

soak: ## kill the server 600 times under faults, on both databases, and 1,000 grants' keeper every second for 10 minutes; a million late events; storms of S3: each up to SOAKTIME
	SOAK=1 $(GO) test -count=1 -timeout $(SOAKTIME) -run 'Kill' -v ./e2e
	SOAK=1 $(GO) test -count=1 -timeout $(SOAKTIME) -run 'TestNothingIsLostToLateness|TestAnySchedule' -v ./internal/pipeline
	SOAK=1 $(GO) test -count=1 -timeout $(SOAKTIME) -run 'TestStorm|TestSuite' -v ./sink/s3 ./sink/firehose

clean: ## remove what was built
	rm -rf bin
