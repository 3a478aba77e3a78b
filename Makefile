# Only Go and make are assumed. `make demo` shows the main job, `make test`
# passes the tests; everything else is for those who work on the code.

GO          ?= go
STATICCHECK  = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK  = golang.org/x/vuln/cmd/govulncheck@v1.9.0
CADDY        = github.com/caddyserver/caddy/v2/cmd/caddy@v2.11.9
H2SPEC_MODULE = github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS      = -s -w -X domherre/cmd/domherre/internal/cli.version=$(VERSION)

.PHONY: all build demo test servers h2spec lint bench bench-redirect fuzz clean
all: build

build: ## bin/domherre and bin/domherre-lab
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/domherre ./cmd/domherre-lab

demo: build ## 50 domains go live in a closed internet on this machine; ONCE=1 ends when they are
	bin/domherre-lab demo --domherre bin/domherre --example examples/duavgor $(if $(ONCE),--once)

test: servers ## everything, with the race detector
	$(GO) test -race -timeout 9m ./...
	cd dnsprovider/libdnstest && $(GO) test -race -timeout 2m ./...

servers: ## the real servers that the tests run against, by apt where that can be
	@sh .ci/servers

h2spec: ## bin/h2spec, the HTTP/2 conformance suite: H2SPEC=$$PWD/bin/h2spec lets the tests run it
	@sh .ci/h2spec '$(H2SPEC_MODULE)' bin/h2spec

lint: ## formatting, vet, staticcheck, drift of go.mod, known vulnerabilities
	@sh .ci/lint '$(STATICCHECK)' '$(GOVULNCHECK)'

bench: ## figures for docs/performance.md, in some ten minutes; BENCH_HUGE=1 adds 100,000 domains
	$(GO) test -run '^$$' -bench . -benchmem -benchtime 0.5s $$($(GO) list ./... | grep -v /cmd/)
	$(GO) test -run '^$$' -bench . -benchtime 3x -timeout $(if $(BENCH_HUGE),60m,9m) -v ./cmd/domherre

bench-redirect: ## redirects beside nginx, HAProxy, Caddy and net/http; under attack; h2spec, sslscan and testssl.sh. Some fifteen minutes
	@sh .ci/bench-redirect '$(CADDY)' '$(H2SPEC_MODULE)'

fuzz: ## each fuzz target for FUZZTIME (default 20s)
	@sh .ci/fuzz '$(or $(FUZZTIME),20s)'

clean:
	rm -rf bin .demo
