# Turnstile. `make` lists what there is to make.

# The clang that the committed eBPF objects are built with: one major version, so
# that the same source gives the same bytes everywhere.
CLANG_MAJOR := 19
GOLANGCI    := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# What the tests need beyond Go, by the names of Debian's packages.
# The version of Debian's Python, whose own tests are run.
PYTHON := $(or $(shell /usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null),3.11)
TEST_PACKAGES := clang-$(CLANG_MAJOR) llvm-$(CLANG_MAJOR) clang-format-$(CLANG_MAJOR) \
	gcc libc6-dev $(if $(filter x86_64,$(shell uname -m)),gcc-multilib) \
	strace curl git python3 sqlite3 tar gzip sudo seccomp libcap2-bin util-linux procps \
	acl attr e2fsprogs rsync vim-tiny make binutils postgresql libpython$(PYTHON)-testsuite python3-venv \
	apparmor bubblewrap chromium crun firejail libseccomp-dev nginx-light redis-server redis-tools runc systemd \
	$(if $(shell command -v npm),,npm)

export CGO_ENABLED := 0

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build ./turnstile, static
	go build -trimpath -o turnstile ./cmd/turnstile

.PHONY: install
install: build ## install it to $(PREFIX)/bin
	install -D -m 0755 turnstile $(or $(DESTDIR),)$(or $(PREFIX),/usr/local)/bin/turnstile

.PHONY: generate
generate: ## rebuild the eBPF objects and the tables of system calls
	@command -v clang-$(CLANG_MAJOR) >/dev/null || { echo "clang-$(CLANG_MAJOR) is not installed: make test-tools" >&2; exit 1; }
	go generate ./...

.PHONY: check-generated
check-generated: ## fail if the committed objects or tables differ from the sources
	scripts/check-generated

.PHONY: format
format: ## format Go and C
	gofmt -w .
	clang-format-$(CLANG_MAJOR) -i bpf/*.h bpf/*.c

.PHONY: lint
lint: ## gofmt, go vet, golangci-lint, for both architectures; clang-format
	@test -z "$$(gofmt -l .)" || { gofmt -l . >&2; echo "gofmt would change these: make format" >&2; exit 1; }
	clang-format-$(CLANG_MAJOR) --dry-run --Werror bpf/*.h bpf/*.c
	go vet ./...
	GOARCH=arm64 go vet ./...
	go run $(GOLANGCI) run ./...

.PHONY: test-tools
test-tools: ## install what the tests need (Debian, as root)
	scripts/install-packages $(TEST_PACKAGES)

.PHONY: test
test: test-tools ## install what the tests need and run everything that a change has to pass (as root)
	scripts/test

.PHONY: unit
unit: ## the tests that need neither root nor installed programs
	go test ./...

# What the machines of the matrix need: emulators, and a C library for the other
# processor. libgcc has the version of the machine's own gcc in its name.
KERNEL_PACKAGES = qemu-system-x86 debian-archive-keyring $(if $(findstring arm64,$(or $(K),arm64)),qemu-system-arm lld-$(CLANG_MAJOR) \
	libc6-dev-arm64-cross libgcc-$$(gcc -dumpversion)-dev-arm64-cross)

.PHONY: test-kernels
test-kernels: test-tools ## run the tests of the kernel side on Debian's kernels, in virtual machines; RECORD=1 writes down what came of it
	scripts/install-packages $(KERNEL_PACKAGES)
	go run ./matrix $(if $(RECORD),-record)

.PHONY: test-kernel
test-kernel: test-tools ## the same on the kernels whose row matches K, such as K=6.1
	scripts/install-packages $(KERNEL_PACKAGES)
	go run ./matrix -k '$(K)'

.PHONY: test-matrix
test-matrix: test-tools ## show that the tests on other kernels can fail
	scripts/install-packages $(KERNEL_PACKAGES)
	scripts/test-matrix

.PHONY: stress
stress: test-tools ## the races and the life of enforce, ten times as often; policies against the gate; the transparency suites, whole (as root)
	TURNSTILE_STRESS=1 TURNSTILE_TEST_STRICT=1 go test -count=1 -timeout 3h -run 'TestAttack|TestEnforce|TestTransparent' ./cmd/turnstile

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (default 30s) each
	scripts/fuzz $(or $(FUZZTIME),30s)

.PHONY: bench
bench: ## measure, and write docs/benchmarks.md (as root); ONLY=REGEXP just shows a part, such as ONLY='^enforce'
	scripts/install-packages strace linux-perf bpftrace gcc git bubblewrap firejail
	go run ./bench $(if $(ONLY),-only '$(ONLY)')

.PHONY: release
release: ## build VERSION (default: from the tag) into build/release: binaries, SBOMs, checksums
	scripts/release '$(VERSION)'

.PHONY: check-release
check-release: ## fail if two clones of HEAD do not give the same release
	scripts/check-release

.PHONY: clean
clean: ## remove what was built
	rm -rf turnstile build
