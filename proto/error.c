/* SPDX-License-Identifier: MIT */
#include "proto/error.h"

#include <stdio.h>
#include <string.h>

struct entry {
	const char *name;
	int rpc;
	int status;
};

static const struct entry entries[ERROR_COUNT] = {
#define X(code, name, rpc, status) [ERROR_##code] = { name, rpc, status },
	NOPDB_ERRORS(X)
#undef X
};

static const struct entry *entry_of(enum error_code code)
{
	if ((unsigned)code >= ERROR_COUNT)
		code = ERROR_INTERNAL;
	return &entries[code];
}

int error_set(struct error *err, enum error_code code, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return -1;
	error_clear(err);
	err->code = code;
	va_start(args, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, args);
	va_end(args);
	return -1;
}

int error_set_errno(struct error *err, enum error_code code, int sys_errno,
		    const char *fmt, ...)
{
	va_list args;
	size_t used;

	if (!err)
		return -1;
	error_clear(err);
	err->code = code;
	err->sys_errno = sys_errno;
	va_start(args, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, args);
	va_end(args);
	used = strlen(err->msg);
	snprintf(err->msg + used, sizeof err->msg - used, ": %s",
		 strerror(sys_errno));
	return -1;
}

int error_wrap(struct error *err, const char *fmt, ...)
{
	char old[sizeof err->msg];
	va_list args;
	size_t used;

	if (!err)
		return -1;
	memcpy(old, err->msg, sizeof old);
	va_start(args, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, args);
	va_end(args);
	used = strlen(err->msg);
	snprintf(err->msg + used, sizeof err->msg - used, ": %s", old);
	return -1;
}

int error_remedy(struct error *err, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return -1;
	va_start(args, fmt);
	vsnprintf(err->remedy, sizeof err->remedy, fmt, args);
	va_end(args);
	return -1;
}

void error_clear(struct error *err)
{
	if (err)
		memset(err, 0, sizeof *err);
}

const char *error_name(enum error_code code)
{
	return entry_of(code)->name;
}

int error_rpc_code(enum error_code code)
{
	return entry_of(code)->rpc;
}

int error_exit_status(enum error_code code)
{
	return entry_of(code)->status;
}

enum error_code error_from_name(const char *name)
{
	for (int i = 0; i < ERROR_COUNT; i++)
		if (!strcmp(entries[i].name, name))
			return (enum error_code)i;
	return ERROR_INTERNAL;
}
