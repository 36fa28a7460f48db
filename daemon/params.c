/* SPDX-License-Identifier: MIT */
#include "daemon/params.h"

#include <string.h>

#include "proto/limits.h"

#define PID_MOST 4194304.0
#define PROBE_MOST 4294967295.0
#define COUNT_MOST                                                \
	9007199254740992.0 /* 2^53: beyond, doubles skip integers \
			    */

static bool is_integer(const cJSON *item, double least, double most)
{
	/* Comparing first keeps NaN and infinities from the conversion. */
	return cJSON_IsNumber(item) && item->valuedouble >= least &&
	       item->valuedouble <= most &&
	       item->valuedouble == (double)(uint64_t)item->valuedouble;
}

/* What the value should have been; NULL when it is that. */
static const char *misfit(const cJSON *item, enum param_type type)
{
	switch (type) {
	case PARAM_BOOL:
		return cJSON_IsBool(item) ? NULL : "true or false";
	case PARAM_STRING:
		if (cJSON_IsString(item) && item->valuestring[0] &&
		    strlen(item->valuestring) <= PARAM_STRING_MAX)
			return NULL;
		return "a string of 1 to 4096 bytes";
	case PARAM_TEXT:
		if (cJSON_IsString(item) && item->valuestring[0] &&
		    strlen(item->valuestring) < LIMIT_CODE)
			return NULL;
		return "a string of 1 to 16383 bytes";
	case PARAM_INPUT:
		if (cJSON_IsString(item) && !item->valuestring[0])
			return NULL;
		return misfit(item, PARAM_STRING);
	case PARAM_OBJECT:
		return cJSON_IsObject(item) ? NULL : "an object";
	case PARAM_ARRAY:
		return cJSON_IsArray(item) ? NULL : "an array";
	case PARAM_LINE:
		if (cJSON_IsString(item))
			return misfit(item, PARAM_STRING);
		return is_integer(item, 1, INT32_MAX) ? NULL : "a line";
	case PARAM_PID:
		return is_integer(item, 1, PID_MOST)
			       ? NULL
			       : "an integer from 1 to 4194304";
	case PARAM_PROBE:
		return is_integer(item, 1, PROBE_MOST) ? NULL : "a probe's id";
	case PARAM_COUNT:
		return is_integer(item, 0, COUNT_MOST)
			       ? NULL
			       : "an integer from 0 to 2^53";
	case PARAM_END:
		break;
	}
	return "known";
}

static const struct param *find(const struct param *table, const char *name)
{
	for (; table->type != PARAM_END; table++) {
		if (!strcmp(table->name, name))
			return table;
	}
	return NULL;
}

static int check_item(const cJSON *params, const cJSON *item,
		      const struct param *table, struct error *err)
{
	const struct param *param = find(table, item->string);
	const char *should;

	if (!param)
		return error_set(err, ERROR_PARAMS, "unknown parameter '%.64s'",
				 item->string);
	if (cJSON_GetObjectItemCaseSensitive(params, item->string) != item)
		return error_set(err, ERROR_PARAMS, "parameter '%s' twice",
				 param->name);
	should = misfit(item, param->type);
	if (should)
		return error_set(err, ERROR_PARAMS, "parameter '%s' is not %s",
				 param->name, should);
	return 0;
}

int params_check(const cJSON *params, const struct param *table,
		 struct error *err)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, params)
	{
		if (check_item(params, item, table, err))
			return -1;
	}
	for (; table->type != PARAM_END; table++) {
		if (table->required &&
		    !cJSON_GetObjectItemCaseSensitive(params, table->name))
			return error_set(err, ERROR_PARAMS,
					 "parameter '%s' is missing",
					 table->name);
	}
	return 0;
}

const char *params_string(const cJSON *params, const char *name)
{
	return cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(params, name));
}

bool params_uint(const cJSON *params, const char *name, uint64_t *ret_value)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(params, name);

	if (!cJSON_IsNumber(item))
		return false;
	*ret_value = (uint64_t)item->valuedouble;
	return true;
}

bool params_bool(const cJSON *params, const char *name)
{
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(params, name));
}

const cJSON *params_object(const cJSON *params, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(params, name);
}
