/* SPDX-License-Identifier: MIT */
#include "injector/stack/value.h"

#include <stdio.h>
#include <string.h>

#include "injector/stack/value_object.h"

#define AT(field) ((uint64_t)(int64_t)values->python->offsets.field)

#define VALUES_PLACES (16u << 20)
#define EXACT (1ll << 53) /* what JSON's readers keep exactly */
#define DIGITS_MAX 434u	  /* of 30 bits: 3913 decimal ones, as captures */
#define BYTES_MAX 65536u
#define NINE_DIGITS 1000000000u

void values_init(struct values *values, const struct python *python,
		 struct arena *arena, const struct stack_options *options)
{
	memset(values, 0, sizeof(*values));
	values->python = python;
	values->arena = arena;
	values->depth = options->depth && options->depth < VALUE_DEPTH_MAX
				? options->depth
				: VALUE_DEPTH_MAX;
	values->items = options->items ? options->items : UINT32_MAX;
	values->string = options->string ? options->string : UINT32_MAX;
	values->left = VALUES_PLACES;
}

/* ---- scalars
 * ------------------------------------------------------------------- */

/* Divides a number, most significant digit last, by 10^9; the remainder. */
static uint32_t divide(uint32_t *digits, size_t *count)
{
	uint64_t rest = 0;

	for (size_t i = *count; i > 0; i--) {
		rest = rest << 30 | digits[i - 1];
		digits[i - 1] = (uint32_t)(rest / NINE_DIGITS);
		rest %= NINE_DIGITS;
	}
	while (*count && !digits[*count - 1])
		(*count)--;
	return (uint32_t)rest;
}

/* Writes the number's decimal digits to the end of buf, from its end on;
 * returns where they begin. */
static char *decimal(uint32_t *digits, size_t count, bool negative, char *end)
{
	char *at = end;

	while (count) {
		uint32_t nine = divide(digits, &count);

		for (int i = 0; i < 9 && (count || nine); i++, nine /= 10)
			*--at = (char)('0' + nine % 10);
	}
	if (negative)
		*--at = '-';
	return at;
}

static bool read_big_int(struct values *values, uint64_t object,
			 struct stack_value *value)
{
	uint32_t digits[DIGITS_MAX];
	char text[DIGITS_MAX * 10 + 2], *from;
	uint64_t count;
	bool negative;
	size_t size;

	value->kind = STACK_VALUE_BIG_INT;
	if (!object_int_size(values->python, object, &count, &negative))
		return true;
	value->length = count * 30;
	if (count > DIGITS_MAX ||
	    !remote_read(values->python->remote, object + AT(long_digit),
			 digits, count * sizeof(digits[0])))
		return true;
	for (uint64_t i = 0; i < count; i++)
		digits[i] &= (1u << 30) - 1;
	from = decimal(digits, count, negative, text + sizeof(text));
	size = (size_t)(text + sizeof(text) - from);
	value->length = size;
	value->truncated = size > values->string;
	value->text_size = value->truncated ? values->string : size;
	value->text = arena_copy(values->arena, from, value->text_size);
	return value->text != NULL;
}

static bool read_int(struct values *values, uint64_t object,
		     struct stack_value *value)
{
	if (!object_int(values->python, object, &value->integer) ||
	    value->integer > EXACT || value->integer < -EXACT)
		return read_big_int(values, object, value);
	value->kind = STACK_VALUE_INT;
	return true;
}

static bool read_str(struct values *values, uint64_t object,
		     struct stack_value *value)
{
	value->text = object_text_whole(values->python, values->arena, object,
					values->string, &value->text_size,
					&value->length);
	if (!value->text)
		return true;
	value->kind = STACK_VALUE_STR;
	value->truncated = value->length > values->string ||
			   value->length > OBJECT_TEXT_MAX;
	return true;
}

static bool read_bytes(struct values *values, uint64_t object, uint64_t data,
		       struct stack_value *value)
{
	int64_t size = object_size(values->python, object);
	char *bytes;

	if (size < 0)
		return true;
	value->length = (uint64_t)size;
	value->text_size =
		(size_t)size < values->string ? (size_t)size : values->string;
	if (value->text_size > BYTES_MAX)
		value->text_size = BYTES_MAX;
	value->truncated = value->text_size < value->length;
	bytes = arena_alloc(values->arena, value->text_size + 1);
	if (!bytes)
		return false;
	if (value->text_size &&
	    !remote_read(values->python->remote, data, bytes, value->text_size))
		return true;
	value->kind = STACK_VALUE_BYTES;
	value->text = bytes;
	return true;
}

/* ---- containers
 * ---------------------------------------------------------------- */

/* Enters a container. False: it is not to be shown, and value says so. */
static bool enter(struct values *values, uint64_t object, uint64_t length,
		  struct stack_value *value)
{
	for (unsigned i = 0; i < values->path_length; i++) {
		if (values->path[i] != object)
			continue;
		value->kind = STACK_VALUE_REF;
		return false;
	}
	value->length = length;
	if (length && values->path_length >= values->depth) {
		value->truncated = true;
		return false;
	}
	values_push(values, object);
	return true;
}

static struct stack_value *make_items(struct values *values, uint64_t count,
				      struct stack_value *value)
{
	struct stack_value *items;

	if (count > values->left)
		count = values->left;
	items = arena_array(values->arena, count, sizeof(*items));
	value->items = items;
	return items;
}

static bool read_sequence(struct values *values, uint64_t object, bool tuple,
			  struct stack_value *value)
{
	int64_t size = object_size(values->python, object);
	uint64_t first = object + AT(tuple_item), count, item;
	struct stack_value *items;
	bool done = true;

	if (size < 0)
		return true;
	value->kind = STACK_VALUE_ITEMS;
	if (!tuple)
		first = remote_pointer(values->python->remote,
				       object + AT(list_item));
	if (!enter(values, object, (uint64_t)size, value))
		return true;
	count = (uint64_t)size < values->items ? (uint64_t)size : values->items;
	if (count > values->left)
		count = values->left;
	items = make_items(values, count, value);
	for (uint64_t i = 0; items && done && i < count; i++) {
		values->left--;
		item = remote_pointer(values->python->remote, first + i * 8);
		done = item && values_read(values, item, &items[i]);
		value->count += done;
	}
	value->truncated = value->count < (uint64_t)size;
	values->path_length--;
	return items != NULL;
}

/* setentry: key and hash; -1 is the hash of what was removed. */
static bool read_set(struct values *values, uint64_t object,
		     struct stack_value *value)
{
	struct remote *remote = values->python->remote;
	uint64_t used, mask, table, most, entry[2];
	struct stack_value *items;

	if (!remote_u64(remote, object + AT(set_used), &used) ||
	    !remote_u64(remote, object + AT(set_mask), &mask))
		return true;
	table = remote_pointer(remote, object + AT(set_table));
	value->kind = STACK_VALUE_ITEMS;
	if (!enter(values, object, used, value))
		return true;
	most = used < values->items ? used : values->items;
	items = make_items(values, most, value);
	for (uint64_t i = 0;
	     items && i <= mask && value->count < most && values->left; i++) {
		values->left--;
		if (!remote_read(remote, table + i * 16, entry, sizeof(entry)))
			break;
		if (entry[0] && entry[1] != UINT64_MAX &&
		    values_read(values, entry[0], &items[value->count]))
			value->count++;
	}
	value->truncated = value->count < used;
	values->path_length--;
	return items != NULL;
}

static bool read_dict(struct values *values, uint64_t object,
		      struct stack_value *value)
{
	struct dict_entry entry;
	struct dict_walk walk;
	struct stack_value *items;
	uint64_t used, most;

	if (!remote_u64(values->python->remote, object + AT(dict_used),
			&used) ||
	    !dict_walk_start(values->python, object, &walk))
		return true;
	value->kind = STACK_VALUE_DICT;
	if (!enter(values, object, used, value))
		return true;
	most = used < values->items ? used : values->items;
	if (most > values->left / 2)
		most = values->left / 2;
	items = make_items(values, most * 2, value);
	while (items && value->count < most * 2 && values->left > 2 &&
	       dict_walk_next(values->python, &walk, &entry)) {
		values->left -= 2;
		if (!values_read(values, entry.key, &items[value->count]) ||
		    !values_read(values, entry.value, &items[value->count + 1]))
			break;
		value->count += 2;
	}
	value->truncated = value->count < used * 2;
	values->path_length--;
	return items != NULL;
}

/* ---- any
 * ------------------------------------------------------------------------- */

static const char *type_name(struct values *values, uint64_t type,
			     uint64_t flags)
{
	const struct python *python = values->python;
	char name[OBJECT_TYPE_NAME], module[OBJECT_TYPE_NAME];

	if (!(flags & TYPE_HEAP))
		return object_type_name(python, type, name, sizeof(name))
			       ? arena_copy(values->arena, name, strlen(name))
			       : NULL;
	if (!object_text_into(
		    python,
		    remote_pointer(python->remote, type + AT(ht_qualname)),
		    name, sizeof(name)))
		return NULL;
	if (!object_text_into(
		    python,
		    dict_get(python,
			     remote_pointer(python->remote, type + AT(tp_dict)),
			     "__module__"),
		    module, sizeof(module)) ||
	    !strcmp(module, "builtins"))
		return arena_copy(values->arena, name, strlen(name));
	return arena_printf(values->arena, "%s.%s", module, name);
}

static bool read_float(struct values *values, uint64_t object,
		       struct stack_value *value)
{
	if (remote_read(values->python->remote, object + AT(float_val),
			&value->number, sizeof(value->number)))
		value->kind = STACK_VALUE_FLOAT;
	return true;
}

/* Built-in types, told by their name and by not being made at run time. */
static bool read_builtin(struct values *values, uint64_t object,
			 struct stack_value *value)
{
	const char *type = value->type;

	if (!strcmp(type, "str"))
		return read_str(values, object, value);
	if (!strcmp(type, "int"))
		return read_int(values, object, value);
	if (!strcmp(type, "bool")) {
		if (object_int(values->python, object, &value->integer))
			value->kind = STACK_VALUE_BOOL;
	} else if (!strcmp(type, "NoneType")) {
		value->kind = STACK_VALUE_NONE;
	} else if (!strcmp(type, "float")) {
		return read_float(values, object, value);
	} else if (!strcmp(type, "list") || !strcmp(type, "tuple")) {
		return read_sequence(values, object, type[0] == 't', value);
	} else if (!strcmp(type, "dict") || !strcmp(type, "frozendict")) {
		return read_dict(values, object, value);
	} else if (!strcmp(type, "set") || !strcmp(type, "frozenset")) {
		return read_set(values, object, value);
	} else if (!strcmp(type, "bytes")) {
		return read_bytes(values, object, object + AT(bytes_val),
				  value);
	} else if (!strcmp(type, "bytearray")) {
		return read_bytes(values, object,
				  remote_pointer(values->python->remote,
						 object + AT(bytearray_start)),
				  value);
	}
	return true;
}

bool values_read(struct values *values, uint64_t object,
		 struct stack_value *ret_value)
{
	uint64_t type = object_type(values->python, object);
	uint64_t flags = object_type_flags(values->python, type);
	struct stack_value value = { .kind = STACK_VALUE_UNREADABLE,
				     .address = object };

	if (type)
		value.type = type_name(values, type, flags);
	if (value.type) {
		value.kind = STACK_VALUE_OBJECT;
		if (!(flags & TYPE_HEAP) &&
		    !read_builtin(values, object, &value))
			return false;
		if (value.kind == STACK_VALUE_OBJECT &&
		    !value_read_parts(values, object, type, flags, &value))
			return false;
	}
	*ret_value = value;
	return true;
}

bool values_read_as(struct values *values, uint64_t object, const char *type,
		    struct stack_value *ret_value)
{
	struct stack_value value = { .kind = STACK_VALUE_UNREADABLE,
				     .address = object,
				     .type = type };

	/* It was entered as what it is. */
	values_leave(values);
	if (!read_builtin(values, object, &value))
		return false;
	*ret_value = value;
	values_push(values, object);
	return true;
}

void values_push(struct values *values, uint64_t object)
{
	if (values->path_length < VALUE_DEPTH_MAX)
		values->path[values->path_length] = object;
	values->path_length++;
}

bool values_enter(struct values *values, uint64_t object,
		  struct stack_value *value)
{
	bool entered = enter(values, object, 1, value);

	value->length = 0;
	value->truncated = !entered && value->kind == STACK_VALUE_OBJECT;
	return entered;
}

void values_leave(struct values *values)
{
	values->path_length--;
}

const char *values_type_name(struct values *values, uint64_t type)
{
	return type_name(values, type, object_type_flags(values->python, type));
}

/* ---- locals
 * ---------------------------------------------------------------------- */

/* A variable shared with an inner function lies in a cell. */
static uint64_t slot_value(const struct values *values,
			   const struct python_frame *frame, int slot)
{
	const struct python *python = values->python;
	uint64_t object = object_untag(
		python, remote_pointer(python->remote,
				       frame->slots + (uint64_t)slot * 8));
	uint8_t kind = 0x80;

	if (!object)
		return 0;
	if (python->offsets.co_localspluskinds >= 0) {
		uint64_t kinds = remote_pointer(python->remote,
						frame->code->address +
							AT(co_localspluskinds));

		(void)remote_u8(python->remote,
				kinds + AT(bytes_val) + (uint64_t)slot, &kind);
	} else if (slot < frame->code->locals) {
		kind = 0;
	}
	/* CO_FAST_CELL, CO_FAST_FREE */
	if (kind & 0xc0 && object_is(python, object, "cell"))
		return remote_pointer(python->remote, object + AT(cell_ref));
	return object;
}

const struct stack_local *values_locals(struct values *values,
					struct codes *codes,
					const struct python_frame *frame,
					size_t *ret_count)
{
	struct stack_local *list = arena_array(
		values->arena, (size_t)frame->code->slots, sizeof(*list));
	size_t count = 0;

	if (!list)
		return NULL;
	for (int slot = 0; slot < frame->code->slots && values->left; slot++) {
		uint64_t object = slot_value(values, frame, slot);
		struct stack_value *value;

		values->left--;
		if (!object)
			continue;
		value = arena_alloc(values->arena, sizeof(*value));
		if (!value || !values_read(values, object, value))
			return NULL;
		list[count].name = code_slot_name(codes, frame->code, slot);
		list[count].value = value;
		count += list[count].name != NULL;
	}
	*ret_count = count;
	return list;
}
