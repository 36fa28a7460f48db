/* SPDX-License-Identifier: MIT */
#include "injector/stack/value_object.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(field) ((uint64_t)(int64_t)python->offsets.field)

/* An object's head; the layouts below are the same in 3.7 to 3.15. */
#define HEAD (python->free_threaded ? 32u : 16u)
#define PARTS_MAX 6u
#define TYPES_MAX 16 /* bases whose slots are looked at */
#define SLOTS_MAX 4096
#define NAME_MAX_BYTES 256u

#define EXCEPTION_ARGS 8u /* behind the head: dict, args */
#define MEMBER_NAME 8u	  /* PyDescrObject: type, name; then PyMemberDef */
#define MEMBER_DEFINITION 24u
#define MEMBER_KIND 8u
#define MEMBER_OF_SLOTS 16 /* T_OBJECT_EX */
#define MEMBER_OFFSET 16u

/* dequeobject behind ob_size, and its blocks. */
#define DEQUE_LEFT 8u
#define DEQUE_INDEX 24u
#define DEQUE_MOST 48u
#define BLOCK_ITEMS 64u
#define BLOCK_DATA 8u
#define BLOCK_NEXT (BLOCK_DATA + BLOCK_ITEMS * 8u)

/* An object's parts while they are put together. */
struct parts {
	struct values *values;
	const struct python *python;
	struct stack_part list[PARTS_MAX];
	size_t count;
	bool full; /* no memory */
};

static struct stack_value *add_part(struct parts *parts, const char *key)
{
	struct stack_value *value =
		arena_alloc(parts->values->arena, sizeof(*value));

	if (!value || parts->count == PARTS_MAX) {
		parts->full |= !value;
		return NULL;
	}
	memset(value, 0, sizeof(*value));
	parts->list[parts->count++] =
		(struct stack_part){ .key = key, .value = value };
	return value;
}

static void add_object(struct parts *parts, const char *key, uint64_t object)
{
	struct stack_value *value = object ? add_part(parts, key) : NULL;

	if (value && !values_read(parts->values, object, value))
		parts->full = true;
}

static void add_text(struct parts *parts, const char *key, const char *text)
{
	struct stack_value *value = text && *text ? add_part(parts, key) : NULL;

	if (!value)
		return;
	value->kind = STACK_VALUE_STR;
	value->text_size = strlen(text);
	value->text = arena_copy(parts->values->arena, text, value->text_size);
	parts->full |= !value->text;
}

static void add_number(struct parts *parts, const char *key, int64_t number)
{
	struct stack_value *value = add_part(parts, key);

	if (!value)
		return;
	value->kind = STACK_VALUE_INT;
	value->integer = number;
}

/* ---- attributes
 * ------------------------------------------------------------------ */

/* Members that are shown by names of the target: name, value, ... */
static bool add_member(struct parts *parts, struct stack_value *all,
		       struct stack_value *items, uint64_t name,
		       const char *text, uint64_t object)
{
	struct values *values = parts->values;
	struct stack_value *key = &items[all->count];

	if (all->count >= (uint64_t)values->items * 2 ||
	    all->count + 2 > all->length || values->left < 2) {
		all->truncated = true;
		return false;
	}
	values->left -= 2;
	if (text) {
		key->kind = STACK_VALUE_STR;
		key->text_size = strlen(text);
		key->text = arena_copy(values->arena, text, key->text_size);
		parts->full |= !key->text;
	} else if (!values_read(values, name, key)) {
		parts->full = true;
	}
	if (parts->full || key->kind != STACK_VALUE_STR ||
	    !values_read(values, object, key + 1))
		return false;
	all->count += 2;
	return true;
}

/* What __slots__ declares, of a type: by its dict, in which the members lie in
 * the order of their names. */
static void add_slots(struct parts *parts, uint64_t object, uint64_t type,
		      struct stack_value *all, struct stack_value *items)
{
	const struct python *python = parts->python;
	struct remote *remote = python->remote;
	struct dict_entry entry;
	struct dict_walk walk;

	if (!dict_walk_start(python, remote_pointer(remote, type + AT(tp_dict)),
			     &walk))
		return;
	if (walk.count > SLOTS_MAX)
		walk.count = SLOTS_MAX;
	while (dict_walk_next(python, &walk, &entry)) {
		uint64_t member, offset, value;
		int32_t kind = 0;

		if (!object_is(python, entry.value, "member_descriptor"))
			continue;
		member = remote_pointer(remote,
					entry.value + HEAD + MEMBER_DEFINITION);
		/* C's own members are of other kinds. */
		if (!member ||
		    !remote_i32(remote, member + MEMBER_KIND, &kind) ||
		    kind != MEMBER_OF_SLOTS)
			continue;
		offset = remote_pointer(remote, member + MEMBER_OFFSET);
		value = offset && offset < INT32_MAX
				? remote_pointer(remote, object + offset)
				: 0;
		if (value &&
		    !add_member(parts, all, items, entry.key, NULL, value))
			return;
	}
}

static void add_instance(struct parts *parts, uint64_t object,
			 struct stack_value *all, struct stack_value *items)
{
	struct dict_entry entry;
	struct dict_walk walk;

	if (!attributes_start(parts->python, object, &walk))
		return;
	while (dict_walk_next(parts->python, &walk, &entry))
		if (!add_member(parts, all, items, entry.key, NULL,
				entry.value))
			return;
}

static void add_attributes(struct parts *parts, uint64_t object, uint64_t type)
{
	const struct python *python = parts->python;
	struct values *values = parts->values;
	uint64_t mro = remote_pointer(python->remote, type + AT(tp_mro));
	uint64_t most = values->items < 1024 ? values->items : 1024;
	struct stack_value *items, *all = add_part(parts, "$attrs");

	items = all ? arena_array(values->arena, most * 2, sizeof(*items))
		    : NULL;
	if (!items) {
		parts->full = true;
		return;
	}
	all->kind = STACK_VALUE_DICT;
	all->items = items;
	all->length = most * 2;
	for (int64_t i = 0; i < TYPES_MAX; i++) {
		uint64_t base = object_tuple_item(python, mro, i);

		if (!base || !(object_type_flags(python, base) & TYPE_HEAP))
			continue;
		add_slots(parts, object, base, all, items);
	}
	add_instance(parts, object, all, items);
	parts->list[parts->count - 1].members = true;
	if (!all->count)
		parts->count--;
}

/* ---- what subclasses hold
 * ------------------------------------------------------------ */

/* The fields of a named tuple: _fields of its class, or of one it is from. */
static uint64_t field_names(const struct python *python, uint64_t type)
{
	uint64_t mro = remote_pointer(python->remote, type + AT(tp_mro));

	for (int64_t i = 0; i < TYPES_MAX; i++) {
		uint64_t base = object_tuple_item(python, mro, i), names;

		if (!base || !(object_type_flags(python, base) & TYPE_HEAP))
			return 0;
		names = dict_get(
			python,
			remote_pointer(python->remote, base + AT(tp_dict)),
			"_fields");
		if (object_is(python, names, "tuple"))
			return names;
	}
	return 0;
}

static void add_fields(struct parts *parts, uint64_t tuple, uint64_t names)
{
	const struct python *python = parts->python;
	int64_t size = object_size(python, tuple);
	struct stack_value *items, *all = add_part(parts, "$attrs");

	if (size < 0 || size > SLOTS_MAX)
		size = 0;
	items = all ? arena_array(parts->values->arena, (size_t)size * 2,
				  sizeof(*items))
		    : NULL;
	if (!items) {
		parts->full = true;
		return;
	}
	parts->list[parts->count - 1].members = true;
	all->kind = STACK_VALUE_DICT;
	all->items = items;
	all->length = (uint64_t)size * 2;
	for (int64_t i = 0; i < size; i++)
		if (!add_member(parts, all, items,
				object_tuple_item(python, names, i), NULL,
				object_tuple_item(python, tuple, i)))
			return;
}

/* The built-in value that an instance of a subclass is. */
static void add_content(struct parts *parts, uint64_t object, uint64_t type,
			uint64_t flags)
{
	static const struct {
		uint64_t flag;
		const char *type, *key;
	} kinds[] = {
		{ TYPE_DICT, "dict", "$items" },
		{ TYPE_LIST, "list", "$items" },
		{ TYPE_TUPLE, "tuple", "$items" },
		{ TYPE_LONG, "int", "$value" },
		{ TYPE_UNICODE, "str", "$value" },
		{ TYPE_BYTES, "bytes", "$value" },
	};
	uint64_t names = flags & TYPE_TUPLE && flags & TYPE_HEAP
				 ? field_names(parts->python, type)
				 : 0;

	if (names) {
		add_fields(parts, object, names);
		return;
	}
	if (object_is_dict(parts->python, object))
		flags |= TYPE_DICT;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct stack_value *value;

		if (!(flags & kinds[i].flag))
			continue;
		value = add_part(parts, kinds[i].key);
		if (!value || !values_read_as(parts->values, object,
					      kinds[i].type, value))
			parts->full |= value != NULL;
		parts->list[parts->count - 1].bare = true;
		return;
	}
}

static void add_deque(struct parts *parts, uint64_t deque)
{
	const struct python *python = parts->python;
	struct remote *remote = python->remote;
	struct values *values = parts->values;
	uint64_t at = deque + AT(ob_size);
	int64_t size = object_size(python, deque), index, most;
	uint64_t block = remote_pointer(remote, at + DEQUE_LEFT);
	struct stack_value *items, *all = add_part(parts, "$items");
	uint64_t count = size > 0 ? (uint64_t)size : 0;

	index = (int64_t)remote_pointer(remote, at + DEQUE_INDEX);
	most = (int64_t)remote_pointer(remote, at + DEQUE_MOST);
	if (count > values->items)
		count = values->items;
	if (count > values->left)
		count = values->left;
	items = all ? arena_array(values->arena, count, sizeof(*items)) : NULL;
	if (!items) {
		parts->full = true;
		return;
	}
	parts->list[parts->count - 1].bare = true;
	all->kind = STACK_VALUE_ITEMS;
	all->type = "list";
	all->items = items;
	for (uint64_t i = 0; i < count && remote_plausible(block); i++) {
		uint64_t item =
			index >= 0 && index < (int64_t)BLOCK_ITEMS
				? remote_pointer(remote,
						 block + BLOCK_DATA +
							 (uint64_t)index * 8)
				: 0;

		if (!item || !values_read(values, item, &items[all->count]))
			break;
		values->left--;
		all->count++;
		if (++index == (int64_t)BLOCK_ITEMS) {
			index = 0;
			block = remote_pointer(remote, block + BLOCK_NEXT);
		}
	}
	all->truncated = all->count < (uint64_t)(size > 0 ? size : 0);
	all->length = (uint64_t)(size > 0 ? size : 0);
	if (most >= 0)
		add_number(parts, "$maxlen", most);
}

/* ---- code
 * -------------------------------------------------------------------------- */

/* "module:qualname", file and line, of a function. */
static void add_function(struct parts *parts, uint64_t function)
{
	const struct python *python = parts->python;
	struct remote *remote = python->remote;
	uint64_t code = remote_pointer(remote, function + AT(func_code));
	/* Until 3.9 the code comes first, then the globals; then these do. */
	uint64_t globals = remote_pointer(
		remote, function + (AT(func_code) == HEAD ? HEAD + 8u : HEAD));
	char name[NAME_MAX_BYTES] = "", module[NAME_MAX_BYTES] = "";
	int32_t line = 0;

	(void)object_text_into(
		python, remote_pointer(remote, function + AT(func_qualname)),
		name, sizeof(name));
	(void)object_text_into(python, dict_get(python, globals, "__name__"),
			       module, sizeof(module));
	add_text(parts, "$name",
		 arena_printf(parts->values->arena, "%s%s%s", module,
			      module[0] ? ":" : "", name));
	add_object(parts, "$file",
		   remote_pointer(remote, code + AT(co_filename)));
	if (remote_i32(remote, code + AT(co_firstlineno), &line) && line > 0)
		add_number(parts, "$line", line);
}

static void add_builtin(struct parts *parts, uint64_t function)
{
	struct remote *remote = parts->python->remote;
	const struct python *python = parts->python;
	uint64_t definition = remote_pointer(remote, function + AT(cfunc_ml));
	uint64_t text = definition ? remote_pointer(remote, definition) : 0;
	char name[NAME_MAX_BYTES];

	if (text && remote_text(remote, text, name, sizeof(name)))
		add_text(parts, "$name", name);
}

static void add_module(struct parts *parts, uint64_t module)
{
	const struct python *python = parts->python;
	uint64_t dict =
		remote_pointer(python->remote, module + AT(module_dict));

	add_object(parts, "$name", dict_get(python, dict, "__name__"));
	add_object(parts, "$file", dict_get(python, dict, "__file__"));
}

static void add_range(struct parts *parts, uint64_t object)
{
	static const char *const names[] = { "$start", "$stop", "$step" };
	const struct python *python = parts->python;

	for (unsigned i = 0; i < 3; i++)
		add_object(parts, names[i],
			   remote_pointer(python->remote,
					  object + HEAD + (uint64_t)i * 8));
}

/* The shortest digits that read back as the same number. */
static void shortest(double number, char *buf, size_t size)
{
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(buf, size, "%.*g", digits, number);
		if (strtod(buf, NULL) == number)
			return;
	}
}

/* As repr() gives it. */
static void add_complex(struct parts *parts, uint64_t object)
{
	const struct python *python = parts->python;
	char real[32], imaginary[32];
	double word[2];

	if (!remote_read(python->remote, object + HEAD, word, sizeof(word)))
		return;
	shortest(word[0], real, sizeof(real));
	shortest(word[1], imaginary, sizeof(imaginary));
	add_text(parts, "$repr",
		 word[0] == 0 && !signbit(word[0])
			 ? arena_printf(parts->values->arena, "%sj", imaginary)
			 : arena_printf(parts->values->arena, "(%s%s%sj)", real,
					signbit(word[1]) || isnan(word[1])
						? ""
						: "+",
					imaginary));
}

/* Behind the head: the hash, whether it has a time zone, and then year (two
 * bytes), month, day, hour, minute, second, microsecond (three). */
static void add_time(struct parts *parts, uint64_t object, bool time)
{
	const struct python *python = parts->python;
	struct arena *arena = parts->values->arena;
	uint8_t at[11];
	unsigned us;
	const char *text;

	if (!remote_read(python->remote, object + HEAD + 8, at,
			 time ? sizeof(at) : 5) ||
	    (time && at[0]))
		return;
	text = arena_printf(arena, "%04u-%02u-%02u", at[1] << 8 | at[2],
			    at[3] & 0x7f, at[4]);
	if (time && text) {
		us = (unsigned)(at[8] << 16 | at[9] << 8 | at[10]);
		text = arena_printf(arena, "%sT%02u:%02u:%02u", text, at[5],
				    at[6], at[7]);
		if (us && text)
			text = arena_printf(arena, "%s.%06u", text, us);
	}
	add_text(parts, "$iso", text);
}

/* Types of C whose parts have a layout of their own. True: it was one. */
static bool add_known(struct parts *parts, uint64_t object,
		      struct stack_value *value)
{
	const struct python *python = parts->python;
	const char *type = value->type;

	if (!strcmp(type, "range") || !strcmp(type, "slice")) {
		value->nameless = true;
		add_range(parts, object);
	} else if (!strcmp(type, "ellipsis")) {
		value->nameless = true;
	} else if (!strcmp(type, "complex")) {
		value->nameless = true;
		add_complex(parts, object);
	} else if (!strcmp(type, "datetime.datetime") ||
		   !strcmp(type, "datetime.date")) {
		add_time(parts, object, strlen(type) > 13);
	} else if (!strcmp(type, "mappingproxy")) {
		add_object(parts, "$value",
			   remote_pointer(python->remote, object + HEAD));
	} else if (!strcmp(type, "function")) {
		add_function(parts, object);
	} else if (!strcmp(type, "method")) {
		uint64_t function = remote_pointer(python->remote,
						   object + AT(method_func));

		if (object_is(python, function, "function"))
			add_function(parts, function);
		add_object(parts, "$self",
			   remote_pointer(python->remote,
					  object + AT(method_self)));
	} else if (!strcmp(type, "builtin_function_or_method")) {
		add_builtin(parts, object);
	} else if (!strcmp(type, "module")) {
		add_module(parts, object);
	} else if (!strcmp(type, "collections.deque")) {
		add_deque(parts, object);
	} else {
		return false;
	}
	return true;
}

/* ---- any
 * ----------------------------------------------------------------------------
 */

static bool add_enum(struct parts *parts, uint64_t object)
{
	const struct python *python = parts->python;
	uint64_t name;

	if (!object_is_a(python, object, "Enum"))
		return false;
	name = attribute_get(python, object, "_name_");
	if (!object_is(python, name, "str"))
		return false; /* a combination of flags, until 3.10 */
	add_object(parts, "$name", name);
	add_object(parts, "$value", attribute_get(python, object, "_value_"));
	return true;
}

/* What is told however deep it lies. True: that was all of it. */
static bool add_always(struct parts *parts, uint64_t object, uint64_t flags,
		       struct stack_value *value)
{
	if (flags & TYPE_TYPE) {
		add_text(parts, "$name",
			 values_type_name(parts->values, object));
		return true;
	}
	return add_known(parts, object, value) ||
	       (flags & TYPE_HEAP && add_enum(parts, object));
}

static void add_all(struct parts *parts, uint64_t object, uint64_t type,
		    uint64_t flags, struct stack_value *value)
{
	const struct python *python = parts->python;

	if (!strcmp(value->type, "collections.defaultdict"))
		add_object(
			parts, "$default_factory",
			remote_pointer(python->remote,
				       object +
					       (uint64_t)object_type_basicsize(
						       python, type) -
					       8));
	if (flags & TYPE_EXCEPTION)
		add_object(parts, "$args",
			   remote_pointer(python->remote,
					  object + HEAD + EXCEPTION_ARGS));
	add_content(parts, object, type, flags);
	if (flags & TYPE_HEAP)
		add_attributes(parts, object, type);
}

/* Is there anything below the depth that is shown? */
static bool has_more(const struct python *python, uint64_t object,
		     uint64_t flags)
{
	struct dict_entry entry;
	struct dict_walk walk;

	if (object_is_dict(python, object) ||
	    flags & (TYPE_LIST | TYPE_TUPLE | TYPE_LONG | TYPE_UNICODE |
		     TYPE_BYTES | TYPE_EXCEPTION))
		return true;
	return attributes_start(python, object, &walk) &&
	       dict_walk_next(python, &walk, &entry);
}

bool value_read_parts(struct values *values, uint64_t object, uint64_t type,
		      uint64_t flags, struct stack_value *value)
{
	struct parts parts = { .values = values, .python = values->python };
	struct stack_part *kept;
	bool whole;

	values_push(values, object);
	whole = add_always(&parts, object, flags, value);
	values_leave(values);
	if (!whole) {
		if (!values_enter(values, object, value)) {
			value->truncated =
				value->truncated &&
				has_more(values->python, object, flags);
			return true;
		}
		add_all(&parts, object, type, flags, value);
		values_leave(values);
	}
	kept = arena_array(values->arena, parts.count, sizeof(*kept));
	if (parts.full || !kept)
		return false;
	memcpy(kept, parts.list, parts.count * sizeof(*kept));
	value->parts = kept;
	value->part_count = parts.count;
	return true;
}
