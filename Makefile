# One place to build, try, test and install from; `make help` tells what there is.
#
# Swift and, for what else is missing, apt are all that has to be there: targets that build fetch
# the rest themselves (.ci/deps).

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

# Where `make install` puts things. DESTDIR goes before it, for those who build packages.
PREFIX ?= /usr/local
DESTDIR ?=

# Where Swift builds: one folder for work and tests, one for the static program, as the two need
# everything compiled in different ways, and one for what measures speed.
BUILD ?= .build
BUILD_STATIC ?= .build-static
BUILD_BENCH ?= .build-bench

program = $(BUILD)/release/dmmeta
static_program = $(BUILD_STATIC)/release/dmmeta
# The same as `make install` leaves it, static, for what looks at that.
installed = $(abspath $(BUILD_STATIC))/installed
swift_sources = Package.swift Sources Tests

# Swift's own crash reports can hang, and a test that crashes the program needs none.
export SWIFT_BACKTRACE := enable=no
# Python scripts below Tests/ leave nothing behind.
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: build demo test install-test mutants kernel-test kernel-random lvm-test bench bench-quick \
  fixtures static install uninstall installed format lint clean help deps

build: deps ## build the program (make alone does it)
	swift build -c release --scratch-path $(BUILD) --product dmmeta
	@echo "built $(program)"

demo: build ## damage metadata of a pool and of a cache and repair it, to look at
	Tests/Demo/demo.sh $(program)

# Tests that compare with the old tools look for them in .peers; where they could not be fetched,
# each of these tests is named as skipped, and PEERS=required makes that a failure. No test imports with @testable, and saying so lets the
# tests share what `make build` compiles. What measures speed is a package of its own, and has to
# keep up with the sources.
test: export PEER_LOG = $(abspath $(BUILD))/peer-comparisons
test: deps ## run all tests but those that boot a kernel
	Tests/Kernel/peers.sh
	mkdir -p $(BUILD) && : > $(PEER_LOG)
	swift test -c release --disable-testable-imports --scratch-path $(BUILD) 2>&1 | \
	  grep -vE '^. Test case passing .* (started|passed after [0-9.]+ seconds)\.$$'
	swift build -c release --package-path Benchmarks --scratch-path $(BUILD_BENCH)
	$(MAKE) --no-print-directory install-test
	@.ci/peer-comparisons "$(PEER_LOG)" $(PEERS)

install-test: ## install to a folder of its own, and try that
	.ci/install-test

kernel-test: build ## let Linux itself, in an emulated machine, judge what is written
	Tests/Kernel/kernel-test.sh $(program)

# MUTANTS="--runs N --seed N --minutes N"; 20,000 of each unless given, which takes hours.
mutants: static ## give changed caches and era devices to every tool that reads them
	Tests/Mutants/mutants.py $(static_program) $(MUTANTS)

# RANDOM_MINUTES for each of three kernels, 20 unless given.
kernel-random: build ## do random things to pools on three kernels, and judge each state
	Tests/Kernel/random-test.sh $(program)

lvm-test: installed ## let LVM, in an emulated machine, use what is installed
	Tests/Kernel/lvm-test.sh $(installed)

# The old tool is Debian's; see Benchmarks/run.sh. Ours is what people install: the program that
# links Swift's libraries as it starts takes milliseconds more for that.
BENCH ?= full
bench: installed ## measure speed beside an old tool, in the better part of an hour
	BENCH_BUILD=$(abspath $(BUILD_BENCH)) Benchmarks/run.sh $(BENCH) $(installed)/usr/sbin/dmmeta

bench-quick: BENCH = quick
bench-quick: bench ## the same in about three minutes

fixtures: ## make the images below fixtures/kernel anew, in an emulated machine
	Tests/Kernel/fixtures.sh

# Static, so that the program runs from any initramfs and in any distribution; one file for all
# tools, found by the names people know. Root needs no Swift to install what is built already, and
# leaves no files of its own in the build folder.
static: ## build the program as it is installed
	@if command -v swift >/dev/null || ! .ci/is-built $(static_program); then \
	  .ci/deps; \
	  (set -x; STATIC=1 swift build -c release --static-swift-stdlib \
	    --scratch-path $(BUILD_STATIC) --product dmmeta); fi

install: static ## install to DESTDIR/PREFIX (PREFIX is /usr/local unless given)
	@DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" .ci/install put $(static_program)

uninstall: ## remove what make install put there, and put back what it replaced
	@DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" .ci/install remove

installed:
	rm -rf $(installed)
	$(MAKE) --no-print-directory install DESTDIR=$(installed) PREFIX=/usr

format: ## put the Swift sources into their form
	swift format --in-place --parallel --recursive $(swift_sources)

lint: ## say where the Swift sources have another form
	swift format lint --strict --parallel --recursive $(swift_sources)

clean: ## remove what was built; fetched and made things (.peers, .rig) stay
	rm -rf $(BUILD) $(BUILD_STATIC) $(BUILD_BENCH)

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | expand -t 14

deps:
	@.ci/deps
