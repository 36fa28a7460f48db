/* SPDX-License-Identifier: MIT */
#include "agent/value.h"

#include "agent/value_walk.h"

size_t value_expression_name(const char *text, size_t length,
			     const char **ret_name)
{
	size_t part = 1;

	for (size_t i = 1; i + 1 < length; i++) {
		char c = text[i];

		if (c == '.')
			part = i + 1;
		else if (c != '_' && !(c >= '0' && c <= '9') &&
			 !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z'))
			return 0;
	}
	*ret_name = text + part;
	return length > part + 1 ? length - part - 1 : 0;
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
