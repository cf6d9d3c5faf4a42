# Nave. `make help` lists what there is. Go and make are all that is needed.

GOLANGCI_VERSION := v2.15.0
GOLANGCI         := bin/golangci-lint-$(GOLANGCI_VERSION)
MODULES          := web/node_modules/.package-lock.json

# For one call: make build VERSION=v1.2.3, make test PKG=./sse/..., make test TIMEOUT=20m
VERSION  ?=
PKG      ?= ./...
TIMEOUT  ?= 10m
BENCH    ?= .
COUNT    ?= 10
FUZZTIME ?= 30s

FIGURES := $(CURDIR)/bin/figures.md

# What may go wrong, each tried by a package in tests of that name, failures by one in actors/hub; see
# docs/reliability.md. ARGS are flags of the trial: make crash ARGS='-seed 7'
TRIALS := crash power disk linear slow overload failures clock hostile degrade soak defects
ARGS   ?=
FOR    ?= 1h

.DEFAULT_GOAL := help
.PHONY: help run board board-figures page build test web lint bench microbench fuzz stress reliability clean $(TRIALS)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo '  make TRIAL          one trial of the hub in its long form: $(TRIALS)'

run: build ## build bin/hub and run it for development, at localhost:8080
	@echo 'In another terminal: export PATH="$(CURDIR)/bin:$$PATH"; hub --help'
	@bin/hub dev

# It needs Node.js, to build the page. What people do on the board is kept in board-data.
board: page ## build and run examples/board, an application with the hub inside, at localhost:8090
	CGO_ENABLED=0 go build -trimpath -o bin/board ./examples/board
	@bin/board

# It needs Node.js and Chromium too. For a look: make board-figures ARGS=--quick
board-figures: page ## measure the board, polling and live, for examples/board/FIGURES.md; takes 12 minutes
	cd web/board && npm run --silent figures -- $(ARGS)

page: $(MODULES)
	cd web && npm run build --workspace @nave/spoke --workspace @nave/board

# npm writes this file at its end: what was broken off is done again.
$(MODULES): web/package-lock.json
	cd web && npm ci

# Without cgo, so that no C compiler is needed and the program is one static file.
build: ## build bin/hub
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w$(if $(VERSION), -X main.version=$(VERSION))' -o bin/hub ./cmd/hub

# Tests that look at time and memory: they come last, one after the other.
MEASURING := /bench/mode$$|/tests$$|/tests/(degrade|linear|overload|slow|soak)

# The race detector needs cgo, and that needs a C compiler: try it. The tests of web
# wait more than they compute, so the others run beside them, but for those that measure.
test: ## vet and run all tests, with the race detector if a C compiler is there
	go vet $(PKG)
	@mkdir -p bin; rm -f $(FIGURES)
	@if CGO_ENABLED=1 go build -race runtime/cgo 2>/dev/null; then race=-race; cgo=1; else race=; cgo=0; \
		echo 'WARNING: no C compiler that works, so the tests run WITHOUT the race detector.'; fi; \
	all=$$(go list $(PKG)) || exit 1; export FIGURES=$(FIGURES) CGO_ENABLED=$$cgo; failed=; web=:; \
	parts=$$(echo "$$all" | grep -vE '/tests|$(MEASURING)'); last=$$(echo "$$all" | grep -E '$(MEASURING)'); \
	whole=$$(echo "$$all" | grep /tests | grep -vE '$(MEASURING)'); \
	[ '$(PKG)' != ./... ] || { $(MAKE) --no-print-directory web >bin/web.log 2>&1 & web="wait $$!"; }; \
	set -x; \
	[ -z "$$parts" ] || nice go test $$race -timeout $(TIMEOUT) $$parts || failed=yes; \
	[ -z "$$whole" ] || nice go test $$race -timeout $(TIMEOUT) -p 2 -count=1 $$whole || failed=yes; \
	$$web || failed=yes; [ ! -f bin/web.log ] || cat bin/web.log; rm -f bin/web.log; \
	[ -z "$$last" ] || go test $$race -timeout $(TIMEOUT) -p 1 -count=1 $$last || failed=yes; \
	{ set +x; } 2>/dev/null; \
	if [ -f $(FIGURES) ]; then echo; echo 'What the tests measured:'; cat $(FIGURES); fi; [ -z "$$failed" ]

# It needs Node.js and Chromium. Where they are not there, it is left out and said so;
# the build server has them.
web: ## check the TypeScript of web: style, types, size, and tests in Chromium
	@missing=; command -v npm >/dev/null || missing=Node.js; \
	[ -x "$${CHROMIUM:-/usr/bin/chromium}" ] || missing="$$missing Chromium (/usr/bin/chromium, or CHROMIUM)"; \
	if [ -n "$$missing" ]; then echo "WARNING: web is NOT tested: there is no" $$missing; [ -z "$$CI" ]; \
	else set -x; $(MAKE) --no-print-directory $(MODULES) && cd web && npm run check; fi

# Without the race detector: these measure.
$(TRIALS):
	@mkdir -p bin; rm -f $(FIGURES)
	FIGURES=$(FIGURES) go test -count=1 -v -timeout 6h $(if $(filter failures,$@),./actors/hub -run '^TestFailures$$',./tests/$@) -long $(if $(filter soak,$@),-for $(FOR)) $(ARGS); \
	code=$$?; [ ! -f $(FIGURES) ] || cat $(FIGURES); exit $$code

reliability: ## run every trial in its long form, for hours, and put the tables into docs/reliability.md
	go test -count=1 ./tests -run 'Away|BoundedMemory' -long -record
	@for trial in $(TRIALS); do $(MAKE) --no-print-directory $$trial ARGS=-record || failed="$$failed $$trial"; done; \
	[ -z "$$failed" ] || { echo "failed:$$failed"; exit 1; }

stress: ## look for races in mailbox, journal and dispatcher, with 1 to 8 processors
	go test -race -count=1 -cpu 1,2,3,4,5,6,7,8 -timeout $(TIMEOUT) -run Stress ./actors ./actors/hub

lint: $(GOLANGCI) ## check style, mistakes, and who may import whom
	$(GOLANGCI) run $(PKG)

# The version is part of the name, so that another one is another file to make.
$(GOLANGCI):
	@rm -f bin/golangci-lint*
	GOFLAGS= GOBIN='$(CURDIR)/bin' go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	@mv bin/golangci-lint $@

# A mode by itself, or all in three minutes: go run ./bench, go run ./bench all -quick
bench: ## measure a whole hub in every way, beside two baselines, for bench/RESULTS.md; takes half an hour
	go run ./bench all

# As often as benchstat needs to tell a difference from noise; for a look COUNT=1.
microbench: ## measure the hub's parts; BENCH=regexp chooses, each COUNT=10 times
	go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) -timeout 6h $(PKG)

# Go fuzzes one target at a time, so find them and take turns.
fuzz: ## run every fuzz target in turn, each for FUZZTIME=30s
	@list=$$(go test -list '^Fuzz' $(PKG)) || { echo "$$list"; exit 1; }; \
	targets=$$(echo "$$list" | awk '/^Fuzz/ {t[n++] = $$1} /^ok/ {while (n > 0) print $$2 ":" t[--n]}'); \
	[ -n "$$targets" ] || echo 'There are no fuzz targets in $(PKG).'; \
	for target in $$targets; do \
		(set -x; go test -run '^$$' -fuzz "^$${target##*:}\$$" -fuzztime $(FUZZTIME) "$${target%:*}") || exit 1; \
	done

clean: ## remove what was built, but no data
	rm -rf bin web/*/dist
