# SPDX-License-Identifier: MIT
# nopdb: one non-recursive Makefile. `make help` lists the targets.
#
# FLAVOUR= (empty) is the product, in build/. Others live under build/FLAVOUR:
# asan, tsan (sanitizers; not the agent and not the stub, which run in the
# target), die (the injector kills itself at $NOPDB_DIE_AT, for the tests).

FLAVOUR ?=
OUT     := build$(if $(FLAVOUR),/$(FLAVOUR))
OBJ     := $(OUT)/obj
PREFIX  ?= /usr/local
VERSION := 0.1.0

CC      ?= cc
OPT     ?= -O2
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	   -Wvla -Wno-unused-parameter
ifdef CI
WARN    += -Werror
endif
BASE    := -std=gnu11 -g $(OPT) $(WARN) -fvisibility=hidden -I. -MMD -MP \
	   -D_GNU_SOURCE -DNOPDB_VERSION='"$(VERSION)"'

SAN_asan := -fsanitize=address,undefined -fno-omit-frame-pointer
SAN_tsan := -fsanitize=thread
SAN_die  := -DNOPDB_DIE_POINTS
SAN      := $(SAN_$(FLAVOUR))

ifdef V
Q :=
else
Q := @
endif
say = @printf '  %-7s %s\n' $(1) $(2)

PKG_DAEMON := libuv libcjson libelf libunwind libunwind-ptrace
PKG_CLI    := libcjson
pkg_cflags = $(shell pkg-config --cflags $(1) 2>/dev/null)
pkg_libs   = $(shell pkg-config --libs $(1) 2>/dev/null)

.DEFAULT_GOAL := all
.PHONY: all
all: $(OUT)/nopdb $(OUT)/nopdbd $(OUT)/nopdb-agent.so

include scripts/deps.mk

# ---- sources ----------------------------------------------------------------
PROTO_SRC    := $(wildcard proto/*.c)
INJECTOR_SRC := $(filter-out injector/stub/%,$(wildcard injector/*.c injector/*/*.c))
DAEMON_SRC   := $(wildcard daemon/*.c daemon/*/*.c)
CLI_SRC      := $(wildcard clients/cli/*.c)
AGENT_SRC    := $(wildcard agent/*.c agent/*/*.c) $(wildcard agent/*.S agent/*/*.S)
# What the agent shares with the hosted side: no libc, no allocation.
AGENT_PROTO  := proto/frame.c proto/json_write.c proto/ring_write.c \
		proto/probe_spec.c proto/glob.c \
		proto/redact.c proto/redact_text.c

objs = $(patsubst %,$(OBJ)/%.o,$(1))

# ---- hosted code ------------------------------------------------------------
$(OBJ)/%.c.o: %.c | deps-check
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE) $(SAN) $(call pkg_cflags,$(PKG_DAEMON)) -pthread \
		-c $< -o $@

$(OUT)/nopdbd: $(call objs,$(PROTO_SRC) $(INJECTOR_SRC) $(DAEMON_SRC)) \
		$(OUT)/gen/stub_blob.o
	$(call say,LD,$@)
	$(Q)$(CC) $(SAN) -pthread -o $@ $^ $(call pkg_libs,$(PKG_DAEMON)) \
		-lunwind-x86_64 $(LDFLAGS)

$(OUT)/nopdb: $(call objs,$(PROTO_SRC) $(CLI_SRC))
	$(call say,LD,$@)
	$(Q)$(CC) $(SAN) -pthread -o $@ $^ $(call pkg_libs,$(PKG_CLI)) $(LDFLAGS)

# ---- the boot stub: a flat, position independent blob copied to the target ----
STUB_FLAGS := -std=gnu11 -O2 -fPIC -ffreestanding -fno-stack-protector \
	-fno-builtin -fno-jump-tables -fcf-protection=none -mno-sse \
	-fno-asynchronous-unwind-tables -fvisibility=hidden -I. $(WARN)

$(OUT)/gen/stub_blob.o: $(wildcard injector/stub/*) $(wildcard proto/*.h)
	$(call say,STUB,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(STUB_FLAGS) -c injector/stub/stub.c -o $(@D)/stub.o
	$(Q)ld -T injector/stub/stub.ld -o $(@D)/stub.elf $(@D)/stub.o
	$(Q)objcopy -O binary -j .text $(@D)/stub.elf $(@D)/stub.bin
	$(Q)printf '.section .rodata\n.globl stub_blob,stub_blob_end\n.balign 16\nstub_blob: .incbin "%s"\nstub_blob_end:\n.section .note.GNU-stack,"",@progbits\n' \
		$(@D)/stub.bin > $(@D)/stub_blob.S
	$(Q)$(CC) -c $(@D)/stub_blob.S -o $@

# ---- the agent: freestanding, no libc, no undefined symbol ---------------------
AGENT_FLAGS := -std=gnu11 -O2 -g $(WARN) -fPIC -ffreestanding -fno-builtin \
	-fno-stack-protector -fvisibility=hidden -fno-asynchronous-unwind-tables \
	-fcf-protection=none -I. -MMD -MP -DNOPDB_FREESTANDING \
	-DNOPDB_VERSION='"$(VERSION)"'
AGENT_OBJ := $(patsubst %,$(OBJ)/agent-flavour/%.o,$(AGENT_SRC) $(AGENT_PROTO))

$(OBJ)/agent-flavour/%.o: % $(wildcard agent/python/*.py) | deps-check
	$(call say,CC,"$< (agent)")
	@mkdir -p $(@D)
	$(Q)$(CC) $(AGENT_FLAGS) -c $< -o $@

$(OUT)/nopdb-agent.so: $(AGENT_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) -shared -nostdlib -Wl,-z,noexecstack -Wl,-z,now \
		-Wl,--hash-style=both -Wl,--build-id=none -Wl,-z,defs \
		-Wl,-soname,nopdb-agent.so -o $@ $^ -lgcc

include scripts/test.mk
include scripts/check.mk

# ---- completions, written by the command itself ----------------------------------
COMPLETIONS := $(addprefix $(OUT)/completion/,nopdb.bash _nopdb nopdb.fish)
SHELL_OF    := nopdb.bash=bash _nopdb=zsh nopdb.fish=fish

all: $(if $(SAN),,$(COMPLETIONS))

$(OUT)/completion/%: $(OUT)/nopdb
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)$< completion $(patsubst $*=%,%,$(filter $*=%,$(SHELL_OF))) > $@.new
	$(Q)mv $@.new $@

include scripts/install.mk

.PHONY: help clean
help:
	@echo 'all test demo bench asan tsan fuzz torture format lint'
	@echo 'check-layers check-headers install uninstall deps clean'

clean:
	rm -rf build

-include $(shell find $(OBJ) -name '*.d' 2>/dev/null)
