# SPDX-License-Identifier: MIT
# deps: what the build, the tests and the lint need from Debian. Compile rules
# name deps-check as an order-only prerequisite: it looks, which is cheap, and
# installs only when something is missing.

.PHONY: deps deps-check deps-check-test deps-check-bench deps-check-torture \
	deps-check-lint

deps:
	@scripts/deps build test bench torture lint

deps-check:
	@scripts/deps build

deps-check-test: | deps-check
	@scripts/deps test

deps-check-bench: | deps-check-test
	@scripts/deps bench

deps-check-torture: | deps-check-test
	@scripts/deps torture

deps-check-lint: | deps-check
	@scripts/deps lint
