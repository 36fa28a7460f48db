/* SPDX-License-Identifier: MIT */
#include "injector/stack/code.h"

#include <stdlib.h>
#include <string.h>

#define CODES_ROOM_FIRST 1024u
#define CODES_MAX (1u << 20)
#define CODE_BYTES_MAX 512 /* of the fixed part of a code object */
#define CODE_NAME_MAX 1024u
#define CODE_FILE_MAX 4096u

int codes_init(struct codes *codes, const struct python *python,
	       struct arena *arena, struct error *err)
{
	memset(codes, 0, sizeof(*codes));
	codes->python = python;
	codes->arena = arena;
	codes->room = CODES_ROOM_FIRST;
	codes->table = calloc(codes->room, sizeof(*codes->table));
	if (!codes->table)
		return error_set(err, ERROR_NO_MEMORY, "code objects");
	return 0;
}

void codes_release(struct codes *codes)
{
	if (!codes)
		return;
	free(codes->table);
	memset(codes, 0, sizeof(*codes));
}

static struct code **find_place(struct code **table, size_t room,
				uint64_t address)
{
	size_t at = (address >> 4) * 0x9e3779b97f4a7c15ull >> 32;

	for (;; at++) {
		struct code **place = &table[at & (room - 1)];

		if (!*place || (*place)->address == address)
			return place;
	}
}

static bool grow(struct codes *codes)
{
	size_t room = codes->room * 2;
	struct code **table;

	if (codes->count * 2 < codes->room)
		return true;
	if (room > CODES_MAX)
		return false;
	table = calloc(room, sizeof(*table));
	if (!table)
		return false;
	for (size_t i = 0; i < codes->room; i++) {
		struct code *code = codes->table[i];

		if (code)
			*find_place(table, room, code->address) = code;
	}
	free(codes->table);
	codes->table = table;
	codes->room = room;
	return true;
}

/* A bytes object's contents, copied; false: it is none, or too large. */
static bool copy_bytes(struct codes *codes, uint64_t object,
		       const uint8_t **ret_bytes, size_t *ret_size)
{
	const struct python *python = codes->python;
	int64_t size = object_size(python, object);
	uint8_t *bytes;

	if (!(object_type_flags(python, object_type(python, object)) &
	      TYPE_BYTES) ||
	    size < 0 || size > CODE_TABLE_MAX)
		return false;
	bytes = arena_alloc(codes->arena, (size_t)size);
	if (!bytes || !remote_read(python->remote,
				   object + (uint64_t)python->offsets.bytes_val,
				   bytes, (size_t)size))
		return false;
	*ret_bytes = bytes;
	*ret_size = (size_t)size;
	return true;
}

static uint64_t field_pointer(const uint8_t *bytes, int32_t offset)
{
	uint64_t value;

	memcpy(&value, bytes + offset, sizeof(value));
	return value;
}

static int field_int(const uint8_t *bytes, int32_t offset)
{
	int32_t value;

	memcpy(&value, bytes + offset, sizeof(value));
	return value;
}

/* Cells and free variables before 3.11 are counted by their names. */
static int count_slots(const struct python *python, const uint8_t *bytes)
{
	const struct python_offsets *at = &python->offsets;
	int64_t cells, frees;

	if (at->co_nlocalsplus >= 0)
		return field_int(bytes, at->co_nlocalsplus);
	cells = object_size(python, field_pointer(bytes, at->co_cellvars));
	frees = object_size(python, field_pointer(bytes, at->co_freevars));
	if (cells < 0 || frees < 0 || cells > CODE_SLOTS_MAX ||
	    frees > CODE_SLOTS_MAX)
		return -1;
	return field_int(bytes, at->co_nlocals) + (int)cells + (int)frees;
}

static bool counts_are_sound(const struct code *code)
{
	return code->locals >= 0 && code->locals <= CODE_SLOTS_MAX &&
	       code->slots >= code->locals && code->slots <= CODE_SLOTS_MAX &&
	       code->stack_size >= 0 && code->stack_size <= CODE_SLOTS_MAX &&
	       code->argument_count >= 0 && code->argument_count <= code->slots;
}

static bool read_names(struct codes *codes, const uint8_t *bytes,
		       struct code *code)
{
	const struct python *python = codes->python;
	const struct python_offsets *at = &python->offsets;
	uint64_t name = field_pointer(bytes, at->co_name);

	/* Absent for a moment while a code object is made. */
	if (at->co_qualname >= 0 && field_pointer(bytes, at->co_qualname))
		name = field_pointer(bytes, at->co_qualname);
	code->file = object_text(python, codes->arena,
				 field_pointer(bytes, at->co_filename),
				 CODE_FILE_MAX);
	code->name = object_text(python, codes->arena, name, CODE_NAME_MAX);
	return code->file && code->name;
}

static struct code *read_code(struct codes *codes, uint64_t address)
{
	const struct python *python = codes->python;
	const struct python_offsets *at = &python->offsets;
	uint8_t bytes[CODE_BYTES_MAX];
	struct code *code;

	if (at->co_size > CODE_BYTES_MAX ||
	    !object_is(python, address, "code") ||
	    !remote_read(python->remote, address, bytes, (size_t)at->co_size))
		return NULL;
	code = arena_alloc(codes->arena, sizeof(*code));
	if (!code || !read_names(codes, bytes, code))
		return NULL;
	code->address = address;
	code->first_line = field_int(bytes, at->co_firstlineno);
	code->flags = field_int(bytes, at->co_flags);
	code->argument_count = field_int(bytes, at->co_argcount);
	code->locals = field_int(bytes, at->co_nlocals);
	code->slots = count_slots(python, bytes);
	code->stack_size = field_int(bytes, at->co_stacksize);
	if (at->co_code_adaptive >= 0)
		code->start = address + (uint64_t)at->co_code_adaptive;
	if (!counts_are_sound(code) ||
	    !copy_bytes(codes, field_pointer(bytes, at->co_linetable),
			&code->lines, &code->lines_size))
		return NULL;
	if (at->co_exctable >= 0 &&
	    !copy_bytes(codes, field_pointer(bytes, at->co_exctable),
			&code->exceptions, &code->exceptions_size))
		return NULL;
	return code;
}

const struct code *codes_get(struct codes *codes, uint64_t address)
{
	struct code **place, *code;

	if (!remote_plausible(address) || !grow(codes))
		return NULL;
	place = find_place(codes->table, codes->room, address);
	code = *place;
	if (code)
		return code;
	code = read_code(codes, address);
	if (code) {
		*place = code;
		codes->count++;
	}
	return code;
}

const char *code_slot_name(struct codes *codes, const struct code *code,
			   int slot)
{
	const struct python *python = codes->python;
	const struct python_offsets *at = &python->offsets;
	int32_t field = at->co_varnames;
	int index = slot;
	int64_t cells;
	uint64_t names;

	if (slot < 0 || slot >= code->slots)
		return NULL;
	if (at->co_nlocalsplus < 0 && slot >= code->locals) {
		cells = object_size(
			python,
			remote_pointer(python->remote,
				       code->address +
					       (uint64_t)at->co_cellvars));
		index -= code->locals;
		field = at->co_cellvars;
		if (index >= cells) {
			index -= (int)cells;
			field = at->co_freevars;
		}
	}
	names = remote_pointer(python->remote, code->address + (uint64_t)field);
	return object_text(python, codes->arena,
			   object_tuple_item(python, names, index),
			   CODE_NAME_MAX);
}
