/* SPDX-License-Identifier: MIT */
/*
 * symbols: the addresses handed to the boot stub and to the agent, resolved
 * from the target's ELF files. Pure lookups but for the gadgets, which are
 * searched in the target's memory.
 */
#ifndef NOPDB_INJECTOR_SYMBOLS_H
#define NOPDB_INJECTOR_SYMBOLS_H

#include "injector/arch/arch.h"
#include "injector/target/memory.h"
#include "injector/target/modules.h"
#include "proto/boot.h"

struct symbols {
	struct boot_libc libc;
	struct boot_symbols table;
	struct gadgets gadgets;
};

/* Resolves all for a Python, one of the modules, of this version (0x030b02).
 * UNSUPPORTED names the first symbol that this version should have and the
 * target has not. */
int symbols_resolve(const struct modules *modules, const struct module *python,
		    const struct memory *memory, uint32_t version,
		    struct symbols *ret_symbols,
		    struct error *err) NOPDB_CHECKED;

/* The name of an entry of the table. */
const char *symbol_name(enum boot_symbol symbol);

/* Must a Python 3.MINOR have it? */
bool symbol_required(enum boot_symbol symbol, unsigned minor);

#endif
