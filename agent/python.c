/* SPDX-License-Identifier: MIT */
#include "agent/python.h"

#include "agent/fault.h"
#include "agent/fork_guard.h"
#include "agent/sys.h"

struct python py;

enum {
	TP_NAME = 24,
	TP_FLAGS = 168,
};

struct requirement {
	const char *name;
	int first, last;
};

static const struct requirement requirements[SYM_COUNT] = {
#define X(name, ...) { #name, __VA_ARGS__ },
	NOPDB_SYMBOLS(X)
#undef X
};

/* Is the symbol needed by this version, and absent? */
static bool lacking(const struct boot_symbols *table, int symbol, int minor)
{
	const struct requirement *r = &requirements[symbol];

	return r->first && minor >= r->first && minor <= r->last &&
	       !table->address[symbol];
}

/* "3.11.2 (main, ...)" -> 0x030b02 */
static uint32_t parse_version(const char *text)
{
	uint32_t part[3] = { 0, 0, 0 };

	for (int i = 0; i < 3; i++) {
		while (*text >= '0' && *text <= '9')
			part[i] = part[i] * 10 + (uint32_t)(*text++ - '0');
		if (*text != '.')
			break;
		text++;
	}
	return (part[0] & 0xff) << 16 | (part[1] & 0xff) << 8 |
	       (part[2] & 0xff);
}

int python_load(const struct boot *boot, struct frame_error *err)
{
	const struct boot_symbols *table = &boot->symbols;

	if (table->version != NOPDB_AGENT_ABI || table->count != SYM_COUNT)
		return fault_set(err, ERROR_AGENT,
				 "the symbol table is of another version", "");
#define X(result, name, parameters) \
	py.name = (result(*) parameters)table->address[SYM_##name];
	PYTHON_FUNCTIONS(X)
#undef X
#define X(name, ...) py.name = (struct object *)table->address[SYM_##name];
	NOPDB_PYTHON_OBJECTS(X)
#undef X
	if (!py.Py_GetVersion)
		return fault_set(err, ERROR_NOT_PYTHON,
				 "the symbol is absent: ", "Py_GetVersion");
	py.version = parse_version(py.Py_GetVersion());
	py.minor = (int)(py.version >> 8 & 0xff);
	for (int i = 0; i < SYM_COUNT; i++)
		if (lacking(table, i, py.minor))
			return fault_set(err, ERROR_UNSUPPORTED,
					 "the interpreter lacks the symbol ",
					 requirements[i].name);
	sys_use_clock((int (*)(int, long *))table->address[SYM_clock_gettime]);
	fork_guard_use((fork_register *)table->address[SYM___register_atfork],
		       (fork_finalize *)table->address[SYM___cxa_finalize]);
	return 0;
}

struct object *py_attr(struct object *object, const char *name)
{
	struct object *value = py.PyObject_GetAttrString(object, name);

	if (!value)
		py.PyErr_Clear();
	return value;
}

long py_attr_long(struct object *object, const char *name, long missing)
{
	struct object *value = py_attr(object, name);
	long result = missing;

	if (value && py_is(value, py.PyLong_Type)) {
		int overflow;

		result =
			(long)py.PyLong_AsLongLongAndOverflow(value, &overflow);
		if (overflow)
			result = missing;
	}
	py_drop(value);
	return result;
}

/* Writes one character as UTF-8; returns its bytes, 0 when out of room. */
static size_t put_utf8(char *to, size_t room, uint32_t c)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	if (n > room)
		return 0;
	for (size_t i = n - 1; i > 0; i--) {
		to[i] = (char)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	to[0] = (char)(n == 1 ? c : lead[n] | c);
	return n;
}

size_t py_text(struct object *str, char *buf, size_t size)
{
	pyssize length;
	size_t used = 0;

	if (!size)
		return 0;
	buf[0] = '\0';
	if (!py_is_str(str))
		return 0;
	length = py.PyUnicode_GetLength(str);
	for (pyssize i = 0; i < length; i++) {
		uint32_t c = py.PyUnicode_ReadChar(str, i);
		size_t n;

		if (c >= 0xd800 && c < 0xe000)
			c = '?';
		n = put_utf8(buf + used, size - 1 - used, c);
		if (!n)
			break;
		used += n;
	}
	buf[used] = '\0';
	return used;
}

bool py_done(struct object *result)
{
	if (!result) {
		py.PyErr_Clear();
		return false;
	}
	py.Py_DecRef(result);
	return true;
}

void py_error_save(struct py_error *saved)
{
	if (py.minor >= 12) {
		saved->type = saved->traceback = NULL;
		saved->value = py.PyErr_GetRaisedException();
	} else {
		py.PyErr_Fetch(&saved->type, &saved->value, &saved->traceback);
	}
}

void py_error_restore(struct py_error *saved)
{
	if (py.minor >= 12)
		py.PyErr_SetRaisedException(saved->value);
	else
		py.PyErr_Restore(saved->type, saved->value, saved->traceback);
}

const char *py_type_name(const struct object *type)
{
	return PY_FIELD(const char *, type, TP_NAME);
}

unsigned long py_type_flags(const struct object *type)
{
	return PY_FIELD(unsigned long, type, TP_FLAGS);
}
