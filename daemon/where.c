/* SPDX-License-Identifier: MIT */
#include "daemon/where.h"

#include <string.h>

#include "daemon/params.h"
#include "proto/location.h"

static int take_part(const cJSON *params, const char *name, char *part,
		     size_t size, struct error *err)
{
	const char *value = params_string(params, name);

	if (!value)
		return 0;
	if (part[0])
		return error_set(err, ERROR_LOCATION,
				 "location: both 'where' and '%s' name the %s",
				 name, name);
	if (strlen(value) >= size)
		return error_set(err, ERROR_LOCATION,
				 "location: '%s' is longer than %zu bytes",
				 name, size - 1);
	memcpy(part, value, strlen(value) + 1);
	return 0;
}

int where_take(const cJSON *params, bool line, struct location *ret_location,
	       struct error *err)
{
	const char *where = params_string(params, "where");
	struct location location = { 0 };

	if (where && (line ? location_parse_line(where, &location, err)
			   : location_parse(where, &location, err)))
		return -1;
	if (params_string(params, "callable")) {
		if (where || params_string(params, "file") ||
		    params_string(params, "function"))
			return error_set(err, ERROR_LOCATION,
					 "location: 'callable' stands alone, "
					 "or with a module and a line");
		if (take_part(params, "module", location.module,
			      sizeof(location.module), err))
			return -1;
		*ret_location = location;
		return 0;
	}
	if (take_part(params, "module", location.module,
		      sizeof(location.module), err) ||
	    take_part(params, "file", location.file, sizeof(location.file),
		      err) ||
	    take_part(params, "function", location.function,
		      sizeof(location.function), err) ||
	    location_check(&location, err))
		return -1;
	*ret_location = location;
	return 0;
}
