/* SPDX-License-Identifier: MIT */
/*
 * ring: the memfd through which captures leave the target. Many writers (the
 * target's threads), one reader (the daemon); neither waits for the other. A
 * full ring drops the record and the writer counts it.
 *
 * One page of header, then `size` bytes of data (a power of two). A record is
 * a struct ring_record followed by its payload, padded to RING_ALIGN. A writer
 * reserves space by advancing `head` (compare and swap), fills it, and commits
 * by storing the record's word last (release). The reader zeroes what it has
 * consumed before it gives the space back (release of `tail`), so a word of 0
 * means "reserved, not yet committed". No record wraps: a SKIP word fills the
 * end of the data.
 *
 * The reader sets `sleeping` before it blocks and looks once more; a writer
 * that clears the flag must ring the eventfd. So the writer's side makes no
 * system call while the reader is awake.
 *
 * The reader trusts nothing in the mapping: it keeps its own tail and size,
 * bounds each length, and copies a record out before anyone looks at it.
 */
#ifndef NOPDB_PROTO_RING_H
#define NOPDB_PROTO_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/limits.h"

#define RING_MAGIC 0x676e6972706f6eull /* "nopring" */
#define RING_HEADER 4096u
#define RING_ALIGN 16u
#define RING_SKIP 0x80000000u /* in word: nothing here, go on */

enum ring_kind {
	RING_CALL = 1, /* members of a `call` record */
	RING_HIT,      /* members of a `hit` record */
	RING_PROBE,    /* members of a `probe` record: state, locations */
	RING_ERROR,    /* members of an `error` record */
	RING_DONE,     /* the probe reached a limit: {"reason":".."} */
	RING_YIELD,    /* members of a `yield` record */
};

struct ring {
	uint64_t magic;
	uint32_t version; /* NOPDB_AGENT_ABI */
	uint32_t size;	  /* of data, power of two */
	_Alignas(64) _Atomic uint64_t head;
	_Alignas(64) _Atomic uint64_t tail;
	_Alignas(64) _Atomic uint32_t sleeping;
};

struct ring_record {
	_Atomic uint32_t word; /* total bytes with padding; 0 not committed */
	uint16_t kind;	       /* enum ring_kind */
	uint16_t reserved;
	uint32_t probe;
	uint32_t length; /* of the payload: one JSON object's text */
};

_Static_assert(sizeof(struct ring_record) == RING_ALIGN, "record header");

/* ---- writer: in the target, no libc (ring_write.c) ------------------------
 */

enum ring_put {
	RING_PUT_OK,
	RING_PUT_WAKE, /* written; the caller rings the eventfd */
	RING_PUT_FULL, /* dropped; the caller counts it */
	RING_PUT_SIZE, /* longer than LIMIT_RECORD; dropped */
};

/* Makes an empty ring in zeroed memory of RING_HEADER + size bytes. */
void ring_init(struct ring *ring, uint32_t size);

/* Is this mapping of `bytes` bytes a ring of ours? */
bool ring_valid(const struct ring *ring, size_t bytes);

/* Appends one record. Any thread; lock-free. */
enum ring_put ring_put(struct ring *ring, enum ring_kind kind, uint32_t probe,
		       const void *payload, uint32_t length);

/* ---- reader: in the daemon (ring_read.c) -----------------------------------
 */

struct ring_reader {
	struct ring *ring; /* mapped; borrowed */
	uint32_t size;
	uint64_t tail;
};

struct ring_item {
	enum ring_kind kind;
	uint32_t probe;
	uint32_t length;
};

void ring_reader_init(struct ring_reader *reader, struct ring *ring,
		      uint32_t size);

/* Copies the next record's payload to buf (LIMIT_RECORD bytes). Returns 1 with
 * *ret_item filled, 0 when there is none, -1 when the ring's content is not
 * what a writer of ours leaves (stop reading it). */
int ring_read(struct ring_reader *reader, void *buf,
	      struct ring_item *ret_item);

/* Announces that the reader is about to block. Returns false when a record
 * came meanwhile (do not block). */
bool ring_sleep(struct ring_reader *reader);

#endif
