# SPDX-License-Identifier: MIT
# check: format, lint, layers, headers.

C_FOLDERS := proto injector agent daemon clients tests
C_FILES    = $(shell find $(C_FOLDERS) -name '*.[ch]' | sort)
C_SOURCES  = $(filter %.c,$(C_FILES))
SH_FILES   = $(shell grep -lE '^\#!/bin/(ba)?sh' scripts/* .ci/run)
PY_FILES   = $(shell find tests scripts agent clients examples -name '*.py' | \
	     sort) \
	     $(shell grep -l '^\#!/usr/bin/python3' scripts/*)
MAN_PAGES  = $(wildcard man/*.[1-8])

.PHONY: format lint lint-format lint-tidy lint-cppcheck lint-style \
	lint-scripts lint-python check-layers check-headers

format: | deps-check-lint
	@clang-format -i $(C_FILES)

lint: lint-format lint-style lint-scripts lint-python lint-cppcheck lint-tidy
	@echo 'lint: clean'

lint-format: | deps-check-lint
	@clang-format --dry-run -Werror $(C_FILES)

lint-style: | deps-check-lint
	@scripts/check-style $(C_FILES) $(SH_FILES) $(PY_FILES) Makefile \
		$(wildcard scripts/*.mk)

lint-scripts: | deps-check-lint
	@shellcheck -x $(SH_FILES)
	@for file in $(PY_FILES); do /usr/bin/python3 -c 'import ast, sys; \
		ast.parse(open(sys.argv[1]).read(), sys.argv[1])' $$file \
		|| exit 1; done
	@$(if $(MAN_PAGES),mandoc -T lint -W warning $(MAN_PAGES))

# The Python client: its types, and that docs/python/ is what they say.
lint-python: | deps-check-lint
	@cd clients/python && mypy --no-error-summary \
		--cache-dir=$(abspath $(OUT))/lint/mypy
	@scripts/docs-python --check

# What cppcheck cannot know is left out: system headers but for the macros of
# queues, arrays that labels in assembly bound, buffers that a callee fills.
QUEUE_H = $(firstword $(wildcard /usr/include/*/sys/queue.h \
	  /usr/include/sys/queue.h))
lint-cppcheck: | deps-check-lint
	@cppcheck --quiet --std=c11 --language=c --error-exitcode=1 \
		--enable=warning,performance,portability --inline-suppr \
		--suppress=missingIncludeSystem --suppress=unknownMacro \
		--suppress=normalCheckLevelMaxBranches \
		--suppress=comparePointers --suppress=uninitvar \
		$(addprefix --include=,$(QUEUE_H)) \
		-I. -D_GNU_SOURCE -j 2 $(filter-out tests/%,$(C_SOURCES))

# ---- clang-tidy, one stamp a source ---------------------------------------------
HOSTED_C    = $(filter-out injector/stub/% agent/%,$(C_SOURCES))
TIDY_STAMPS = $(patsubst %,$(OUT)/lint/%.tidy,\
	      $(filter-out tests/injector/empty_agent.c,$(C_SOURCES)))
TIDY_FLAGS  = $(filter-out -MMD -MP -fcf-protection=none,$(1)) \
	      -Qunused-arguments

lint-tidy: $(TIDY_STAMPS)

$(OUT)/lint/agent/%.tidy: agent/% .clang-tidy | deps-check-lint
	$(call say,TIDY,agent/$*)
	@mkdir -p $(@D)
	$(Q)clang-tidy --quiet agent/$* -- $(call TIDY_FLAGS,$(AGENT_FLAGS)) \
		2>$@.log || { cat $@.log; exit 1; }
	@touch $@

$(OUT)/lint/injector/stub/%.tidy: injector/stub/% .clang-tidy | deps-check-lint
	$(call say,TIDY,injector/stub/$*)
	@mkdir -p $(@D)
	$(Q)clang-tidy --quiet injector/stub/$* -- \
		$(call TIDY_FLAGS,$(STUB_FLAGS)) 2>$@.log || \
		{ cat $@.log; exit 1; }
	@touch $@

$(OUT)/lint/%.tidy: % .clang-tidy | deps-check-lint
	$(call say,TIDY,$*)
	@mkdir -p $(@D)
	$(Q)clang-tidy --quiet $* -- $(call TIDY_FLAGS,$(BASE)) \
		$(call pkg_cflags,$(PKG_DAEMON)) 2>$@.log || \
		{ cat $@.log; exit 1; }
	@touch $@

# ---- layers and headers ------------------------------------------------------------
check-layers: $(OUT)/nopdb-agent.so | deps-check-lint
	@scripts/check-layers $(OUT)/nopdb-agent.so \
		$(patsubst %,$(OBJ)/agent-flavour/%.o,$(AGENT_PROTO))

# Each header compiles alone, in the way that its folder is compiled.
check-headers: | deps-check
	@failed=0; for header in $(filter %.h,$(C_FILES)); do \
		case $$header in \
		agent/*) flags='$(AGENT_FLAGS)' ;; \
		*) flags='$(BASE) $(call pkg_cflags,$(PKG_DAEMON))' ;; \
		esac; \
		printf '#include "%s"\nextern int header_alone;\n' $$header | \
		$(CC) $$flags -MF /dev/null -fsyntax-only -x c - || \
		{ echo "headers: $$header does not stand alone"; failed=1; }; \
	done; [ $$failed = 0 ] && echo 'headers: clean'
