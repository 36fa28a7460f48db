/* SPDX-License-Identifier: MIT */
/*
 * region: the boot region (proto/boot.h) as the injector sees it: mapped by a
 * hijacked thread, filled and watched from outside.
 */
#ifndef NOPDB_INJECTOR_REGION_H
#define NOPDB_INJECTOR_REGION_H

#include "injector/hijack/entry.h"
#include "injector/hijack/remote_call.h"
#include "injector/target/maps.h"

/* Chooses where it is to be: far from where the kernel puts what programs map,
 * at random, so that nobody else comes to map there meanwhile. Fails with
 * NO_PROCESS, NOT_PERMITTED, SYSTEM or ATTACH. */
int region_choose(pid_t pid, uint64_t *ret_address,
		  struct error *err) NOPDB_CHECKED;

/* Where it would be between these mappings; 0: there is no room. chance is any
 * number. Pure. */
uint64_t region_spot(const struct maps *maps, uint64_t chance);

/* Maps it there; the way back of remote's frames is that of this address. */
int region_map(const struct remote *remote, uint64_t address,
	       struct error *err) NOPDB_CHECKED;

/* Takes it away again; only while no thread of ours was created in it. */
void region_unmap(const struct remote *remote, uint64_t region);

/* struct boot's roll_call for the C library of a target. */
int region_roll_call(const struct interpreter *target);

/* Writes the stub and struct boot. Fails with ATTACH. */
int region_fill(const struct entry *entry, struct error *err) NOPDB_CHECKED;

uint64_t region_hijack_entry(uint64_t region);
uint64_t region_stack(uint64_t region);

/* Writes to struct boot; false, with nothing written, when the region is gone:
 * a thread that nobody serves leaves after its time, and takes it away. */
bool region_write(const struct entry *entry, size_t offset, const void *data,
		  size_t size);

/* Tells the new thread, should it come, to leave at once. */
void region_abort(const struct entry *entry);

/* Tells the new thread that the hijacked one is out of the region. */
void region_left(const struct entry *entry);

#endif
