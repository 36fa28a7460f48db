/* SPDX-License-Identifier: MIT */
#include "agent/value.h"

#include "agent/sys.h"
#include "agent/value_walk.h"

static bool is_word(char c)
{
	return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

/* An expression (without quotes) as far as its last part: where that begins,
 * and the last bracket that stands in no other, 0: there is none. */
struct parts {
	size_t part, opened;
};

/* False: it is more than names, attributes, keys and calls. */
static bool take_apart(const char *text, size_t length, struct parts *parts)
{
	int depth = 0;

	*parts = (struct parts){ 0, 0 };
	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (c == '(' || c == '[') {
			if (!depth++)
				parts->opened = i;
		} else if (c == ')' || c == ']') {
			depth--;
		} else if (!depth && c == '.') {
			parts->part = i + 1;
		} else if (!depth && !is_word(c)) {
			return false;
		}
	}
	return !depth;
}

static bool are_words(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!is_word(text[i]))
			return false;
	return length > 0;
}

/* What stands between the quotes of a key, which JSON may have escaped; its
 * length, 0: it is no such key. */
static size_t quoted(const char *text, size_t length, const char **ret_name)
{
	size_t quote = 1;

	while (length && *text == ' ') {
		text++;
		length--;
	}
	while (length && text[length - 1] == ' ')
		length--;
	if (length > 1 && text[0] == '\\' && text[1] == '"')
		quote = 2;
	else if (!length || *text != '\'')
		return 0;
	if (length <= 2 * quote ||
	    memcmp(text, text + length - quote, quote) != 0)
		return 0;
	*ret_name = text + quote;
	return length - 2 * quote;
}

size_t value_expression_name(const char *text, size_t length,
			     const char **ret_name)
{
	struct parts parts;

	if (length < 3)
		return 0;
	text++;
	length -= 2;
	for (; length && *text == ' '; length--)
		text++;
	while (length && text[length - 1] == ' ')
		length--;
	if (!take_apart(text, length, &parts))
		return 0;
	if (are_words(text + parts.part, length - parts.part)) {
		*ret_name = text + parts.part;
		return length - parts.part;
	}
	if (!parts.opened || text[parts.opened] != '[' ||
	    text[length - 1] != ']')
		return 0;
	return quoted(text + parts.opened + 1, length - parts.opened - 2,
		      ret_name);
}

void value_write_expression(struct json_writer *w, const char *text,
			    size_t text_length, struct object *value,
			    const struct probe_limits *limits)
{
	const char *name = "";
	size_t length = value_expression_name(text, text_length, &name);

	if (length)
		value_write_named(w, name, length,
				  value_name_known(name, length), value,
				  limits);
	else
		value_write(w, value, limits);
}
