# SPDX-License-Identifier: MIT
# test: unit programs (Check), live tests (pytest), fuzzing, benchmarks, demo.
#
# tests/FOLDER/test_*.c are programs of their own; other *.c there are linked
# with all of that folder's, but for tests/injector/enter.c and floor.c (driver
# programs) and empty_agent.c (an agent for enter). Results and logs: $(OUT)/test/.

FUZZ_SECONDS ?= 60
N            ?= 1000
TEST_ENV      = NOPDB_BUILD=$(abspath $(OUT)) NOPDB_FORKY=$(abspath build/forky)
PYTEST       := /usr/bin/python3 -m pytest -q
LIVE         := $(wildcard tests/agent/test_*.py tests/live/test_*.py \
		tests/cli/test_*.py)

# A flavour is this Makefile again, with an output folder of its own.
flavour = $(MAKE) --no-print-directory FLAVOUR=$(1) OUT=$(OUT)/$(1)

# Objects made on the way to a test program are kept.
.SECONDARY:

# ---- unit programs -----------------------------------------------------------
UNIT_FOLDERS := proto injector agent daemon cli
UNIT_SRC     := $(foreach f,$(UNIT_FOLDERS),$(wildcard tests/$(f)/test_*.c))
UNIT         := $(patsubst tests/%.c,$(OUT)/test/%,$(UNIT_SRC))
DRIVERS      := tests/injector/enter.c tests/injector/floor.c \
		tests/injector/empty_agent.c

hosted_tests  = $(filter-out $(DRIVERS) tests/agent/callgrind.c tests/$(1)/test_%,\
		$(wildcard tests/$(1)/*.c))
INJECTOR_OBJ := $(call objs,$(INJECTOR_SRC)) $(OUT)/gen/stub_blob.o
PROTO_OBJ    := $(call objs,$(PROTO_SRC))
AGENT_PARTS  := $(patsubst %,$(OBJ)/agent-flavour/%.o,$(AGENT_SRC))

PARTS_proto    := $(PROTO_OBJ)
PARTS_injector := $(PROTO_OBJ) $(INJECTOR_OBJ)
PARTS_agent    := $(PROTO_OBJ) $(AGENT_PARTS)
PARTS_daemon   := $(PROTO_OBJ) $(INJECTOR_OBJ) \
		  $(call objs,$(filter-out daemon/main.c,$(DAEMON_SRC)))
PARTS_cli      := $(PROTO_OBJ) \
		  $(call objs,$(filter-out clients/cli/main.c,$(CLI_SRC)))

define unit_rule
$(OUT)/test/$(1)/%: $(OBJ)/tests/$(1)/%.c.o $(PARTS_$(1)) \
		$(call objs,$(call hosted_tests,$(1))) | deps-check-test
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(SAN) -pthread -o $$@ $$^ $$(call pkg_libs,check) \
		$$(call pkg_libs,$(PKG_DAEMON)) -lunwind-x86_64 $$(LDFLAGS)
endef
$(foreach f,$(UNIT_FOLDERS),$(eval $(call unit_rule,$(f))))

# The driver that enters a process without a daemon, and its agent.
$(OUT)/test/injector/empty_agent.so: tests/injector/empty_agent.c \
		$(wildcard proto/*.h)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(AGENT_FLAGS)) -shared -nostdlib \
		-Wl,-z,defs -o $@ $<

# Programs that run in, or as, targets of the live tests.
TARGET_FLAGS := -std=gnu11 -g -O2 $(WARN) -D_GNU_SOURCE -pthread

$(OUT)/test/targets/waits.so: $(wildcard tests/live/targets/waits*.[ch])
$(OUT)/test/targets/slow_locks.so: proto/boot.h
$(OUT)/test/targets/slow_start.so $(OUT)/test/targets/slow_spawn.so \
$(OUT)/test/targets/late_libc.so: tests/live/targets/raw_sleep.h
$(OUT)/test/targets/%.so: tests/live/targets/%.c | deps-check
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(TARGET_FLAGS) -I. -fPIC -shared -o $@ $(filter %.c,$^) \
		-ldl -lrt

# Is loaded before the C library.
$(OUT)/test/targets/late_libc.so: tests/live/targets/late_libc.c | deps-check
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(TARGET_FLAGS) -I. -fPIC -fno-stack-protector -nostdlib \
		-shared -o $@ $<

# From where to where callgrind counts (tests/agent/test_instructions.py).
$(OUT)/test/agent/callgrind.so: tests/agent/callgrind.c | deps-check-test
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(TARGET_FLAGS) -fPIC -shared -o $@ $<

# Another C library; exports its names as an interpreter does.
$(OUT)/test/targets/musl_host: tests/live/targets/musl_host.c \
		proto/symbols.h | deps-check-test
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)musl-gcc $(TARGET_FLAGS) -I. -rdynamic -o $@ $<

# Exports an interpreter's names, and is none.
$(OUT)/test/targets/fake_runtime: tests/live/targets/fake_runtime.c \
		proto/symbols.h | deps-check
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(TARGET_FLAGS) -I. -rdynamic -o $@ $<

# Loads an interpreter.
$(OUT)/test/targets/embeds: tests/live/targets/embeds.c | deps-check
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(TARGET_FLAGS) -o $@ $< -ldl

$(OUT)/test/targets/%: tests/live/targets/%.c | deps-check
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(TARGET_FLAGS) -static -o $@ $<

UNIT_EXTRA := $(patsubst %,$(OUT)/test/%,injector/enter injector/floor \
	injector/empty_agent.so targets/native.so targets/waits.so \
	targets/cage.so targets/dawdle.so targets/faulty.so targets/slow_locks.so \
	targets/late_libc.so targets/slow_start.so \
	targets/slow_spawn.so targets/seven targets/musl_host \
	targets/fake_runtime targets/embeds agent/callgrind.so)

.PHONY: unit test-programs unit-run live-run
unit: $(UNIT) $(UNIT_EXTRA)

unit-run: unit
	@scripts/test-unit $(OUT)/test $(UNIT)

# ---- everything ------------------------------------------------------------------
.PHONY: test demo asan tsan fuzz fuzz-build bench torture regrtest forky \
	bullseye faults load

# Debian's next interpreters, or a line that says why not.
forky: | deps-check-test
	@scripts/forky-root build/forky || true

# An older Debian, for the tests of foreign roots, or a line why not.
bullseye: | deps-check-test
	@scripts/bullseye-root build/bullseye || true

test: all unit fuzz-build forky bullseye
	@$(call flavour,die) all
	@rm -rf $(OUT)/test/results && mkdir -p $(OUT)/test/results
	@failed=0; \
	scripts/test-unit $(OUT)/test $(UNIT) || failed=1; \
	$(TEST_ENV) scripts/test-live $(OUT)/test/results $(LIVE) || failed=1; \
	$(FUZZ_IMAGES) || failed=1; \
	FUZZ_SEED=1 scripts/fuzz-run $(OUT) 5 $(FUZZ) || failed=1; \
	scripts/totals $(OUT)/test/results || failed=1; exit $$failed

# Sanitized: the unit tests, and live ones on one interpreter of each engine.
define sanitize
	@$(call flavour,$(1)) all unit
	@rm -rf $(OUT)/$(1)/test/results && mkdir -p $(OUT)/$(1)/test/results
	@failed=0; export $(2); \
	scripts/test-unit $(OUT)/$(1)/test \
		$(patsubst $(OUT)/%,$(OUT)/$(1)/%,$(UNIT)) || failed=1; \
	NOPDB_BUILD=$(abspath $(OUT)/$(1)) \
	NOPDB_FEW=1 NOPDB_CYCLES=10 NOPDB_KILLS=3 \
		$(PYTEST) $(LIVE) -m smoke \
		--junitxml=$(OUT)/$(1)/test/results/live.xml || failed=1; \
	scripts/totals $(OUT)/$(1)/test/results || failed=1; exit $$failed
endef

asan: all
	$(call sanitize,asan,ASAN_OPTIONS=detect_leaks=1:exitcode=99 \
		UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1)

tsan: all
	$(call sanitize,tsan,TSAN_OPTIONS=exitcode=99:halt_on_error=0:suppressions=$(abspath tests/daemon/tsan.supp))

demo: all
	@NOPDB_BUILD=$(abspath $(OUT)) scripts/demo.sh $(OUT)

# All peers that PEERS= points at, beside what Debian has; ROWS= and
# NOPDB_PYTHONS= choose (tests/bench/README.md).
$(OUT)/bench/nothing.so: tests/bench/nothing.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(TARGET_FLAGS) -fPIC -shared -o $@ $<

bench: all $(OUT)/test/injector/floor $(OUT)/bench/nothing.so forky | \
		deps-check-test deps-check-bench
	@ROWS=$(ROWS) PEERS=$(PEERS) $(TEST_ENV) /usr/bin/python3 tests/bench/bench.py $(OUT)/bench

# Cycles of attach, probe, capture, detach on every kind of program: N a cell.
# CELLS= and PYTHONS= choose by name (commas between), FEW=K takes K
# interpreters a cell, SECONDS= bounds a cell on an interpreter.
TORTURE = -n $(N) $(if $(CELLS),-c $(CELLS)) $(if $(PYTHONS),-p $(PYTHONS)) \
	  $(if $(FEW),--few $(FEW)) $(if $(SECONDS),--seconds $(SECONDS))

torture: all unit forky | deps-check-test deps-check-torture
	@$(TEST_ENV) /usr/bin/python3 tests/torture/torture.py $(TORTURE) \
		$(OUT)/torture
	@$(if $(filter none,$(MODULES)),,$(MAKE) --no-print-directory regrtest)

# Every call of the daemon fails once; the table is docs/faults.md. MOST= takes
# so many calls of each function on a path (0: all).
faults: all $(OUT)/test/targets/faulty.so | deps-check-test
	@$(TEST_ENV) /usr/bin/python3 tests/live/faults.py docs/faults.md \
		$(or $(MOST),0)

# The daemon under load, for long: tests/live/load.py.
LOAD_CLIENTS ?= 50
LOAD_TARGETS ?= 200
LOAD_SECONDS ?= 600
load: all forky | deps-check-test
	@$(TEST_ENV) /usr/bin/python3 tests/live/load.py --clients $(LOAD_CLIENTS) \
		--targets $(LOAD_TARGETS) --seconds $(LOAD_SECONDS)

# CPython's own tests while we come and go: MODULES=, PYTHONS= and FEW= choose;
# MODULES=none leaves them out of the torture.
regrtest: all forky | deps-check-test deps-check-torture
	@$(TEST_ENV) /usr/bin/python3 tests/torture/regrtest.py \
		$(if $(MODULES),-m $(MODULES)) $(if $(PYTHONS),-p $(PYTHONS)) \
		$(if $(FEW),--few $(FEW)) $(OUT)/regrtest

# ---- fuzzing: libFuzzer, on what reads bytes that are not ours ------------------
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ     := $(patsubst tests/fuzz/%.c,%,$(FUZZ_SRC))
FUZZ_OBJ  = $(filter-out $(OBJ)/daemon/main.c.o,\
	    $(PROTO_OBJ) $(call objs,$(FUZZ_PARTS)))
FUZZ_PARTS := $(wildcard daemon/rpc*.c) \
	$(patsubst %,daemon/%.c,policy policy_decide rights) \
	$(patsubst %,injector/stack/%.c,\
	arena callee code coroutine dict gc_walk lines object offsets remote \
	runtime set value value_object walk) \
	tests/fuzz/images/reading.c \
	$(patsubst %,injector/target/%.c,core_file core_notes maps process \
	procfs) injector/arch/x86_64.c

ifeq ($(FLAVOUR),fuzz)
CC  := clang
SAN := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
endif

$(OUT)/bin/fuzz_%: $(OBJ)/tests/fuzz/fuzz_%.c.o $(FUZZ_OBJ) | deps-check-test
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAN) -fsanitize=fuzzer -o $@ $^ \
		$(call pkg_libs,libcjson libelf)

# Records images of interpreters for fuzz_image.
$(OUT)/bin/record: $(call objs,tests/fuzz/images/record.c \
		tests/fuzz/images/reading.c $(PROTO_SRC) $(INJECTOR_SRC)) \
		$(OUT)/gen/stub_blob.o | deps-check-test
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAN) -fsanitize=address,undefined -pthread -o $@ $^ \
		$(call pkg_libs,$(PKG_DAEMON)) -lunwind-x86_64

.PHONY: fuzz-programs
fuzz-programs: $(patsubst %,$(OUT)/bin/%,$(FUZZ)) $(OUT)/bin/record

fuzz-build: | deps-check-test
	@$(call flavour,fuzz) fuzz-programs

FUZZ_IMAGES = NOPDB_FORKY=$(abspath build/forky) \
	scripts/fuzz-images $(OUT)/fuzz/bin/record $(OUT)/fuzz/images

fuzz: fuzz-build
	@mkdir -p $(OUT)/test/results
	@$(FUZZ_IMAGES)
	@scripts/fuzz-run $(OUT) $(FUZZ_SECONDS) $(FUZZ)
