/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/access.h"
#include "daemon/daemon.h"
#include "daemon/limits.h"
#include "daemon/method.h"
#include "daemon/stack_record.h"
#include "proto/limits.h"

static const struct param params[] = {
	{ "pid", PARAM_PID, false },	   /* one of these two */
	{ "core", PARAM_STRING, false },   /* a core file's absolute path */
	{ "root", PARAM_STRING, false },   /* of the files that core names */
	{ "native", PARAM_STRING, false }, /* none, waiting, all */
	{ "locals", PARAM_BOOL, false },   { "stop", PARAM_BOOL, false },
	{ "depth", PARAM_COUNT, false },   { "items", PARAM_COUNT, false },
	{ "string", PARAM_COUNT, false },  { "strict", PARAM_BOOL, false },
	{ "redact", PARAM_STRING, false }, { "no_redact", PARAM_STRING, false },
	{ NULL, PARAM_END, false },
};

/* A thread of its own, because ptrace belongs to one: what would not stop in
 * time is let go by the kernel when it ends. */
struct reading {
	struct job job;
	struct call *call;
	const cJSON *given;
	pid_t pid;	  /* 0: core */
	const char *core; /* of the call's request */
	const char *root;
	struct stack_options options;
	struct stack_record record;
	struct stack_picture *picture;
	struct error err;
};

static int parse_native(const char *text, enum stack_native *native,
			struct error *err)
{
	static const char *const names[] = {
		[STACK_NATIVE_NONE] = "none",
		[STACK_NATIVE_WAITING] = "waiting",
		[STACK_NATIVE_ALL] = "all",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		*native = (enum stack_native)i;
		return 0;
	}
	return error_set(err, ERROR_PARAMS,
			 "native: '%.20s' is none of none, waiting, all", text);
}

static void parse_limit(const cJSON *given, const char *name, uint64_t most,
			unsigned *limit)
{
	uint64_t value;

	if (params_uint(given, name, &value))
		*limit = (unsigned)(value < most ? value : most);
}

static int parse_whom(const cJSON *given, struct reading *reading,
		      struct error *err)
{
	const char *root = params_string(given, "root");
	uint64_t pid = 0;

	params_uint(given, "pid", &pid);
	reading->pid = (pid_t)pid;
	reading->core = params_string(given, "core");
	reading->root = root ? root : "";
	if (!reading->pid == !reading->core)
		return error_set(err, ERROR_PARAMS, "give pid or core");
	if (root && !reading->core)
		return error_set(err, ERROR_PARAMS, "root goes with core");
	if (reading->core &&
	    (reading->core[0] != '/' || (root && root[0] != '/')))
		return error_set(err, ERROR_PARAMS,
				 "core and root are absolute paths");
	return 0;
}

static int parse(const cJSON *given, struct stack_options *options,
		 struct error *err)
{
	const char *native = params_string(given, "native");

	options->locals = params_bool(given, "locals");
	options->stop = params_bool(given, "stop");
	parse_limit(given, "depth", LIMIT_DEPTH, &options->depth);
	parse_limit(given, "items", UINT32_MAX, &options->items);
	parse_limit(given, "string", UINT32_MAX, &options->string);
	return native ? parse_native(native, &options->native, err) : 0;
}

/* Peers are the daemon's own user or root (peer_permit, GATE_OPERATOR): what
 * the kernel lets the daemon open is theirs to read. */
static int open_core(const char *path, int *ret_fd, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat file;

	if (fd < 0)
		return error_set_errno(err,
				       errno == EACCES ? ERROR_NOT_PERMITTED
						       : ERROR_NO_PROCESS,
				       errno, "core file %.100s", path);
	if (fstat(fd, &file) || !S_ISREG(file.st_mode)) {
		close(fd);
		return error_set(err, ERROR_NOT_PYTHON,
				 "core file %.100s: not a regular file", path);
	}
	*ret_fd = fd;
	return 0;
}

static int read_core(struct reading *reading)
{
	int fd = -1;

	if (open_core(reading->core, &fd, &reading->err))
		return -1;
	if (!stack_read_core(fd, reading->root, &reading->options,
			     &reading->picture, &reading->err))
		return 0;
	return error_wrap(&reading->err, "core file %.100s", reading->core);
}

/* It may have become another process while it was read. */
static void check_again(struct reading *reading)
{
	uint32_t rights = RIGHT_STACK | rights_of_params(reading->given);

	if (!reading->call->access ||
	    !access_again(reading->call->access, rights, &reading->err))
		return;
	stack_picture_free(reading->picture);
	reading->picture = NULL;
}

static int read_process(struct reading *reading)
{
	struct process_id id;
	int failed;

	if (call_open_process(reading->call, reading->pid, &id, &reading->err))
		return -1;
	failed = stack_read(&id, &reading->options, &reading->picture,
			    &reading->err);
	process_close(&id);
	if (!failed)
		check_again(reading);
	return failed;
}

static void read_stacks(void *owner)
{
	struct reading *reading = owner;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	reading->record.time_ns =
		(uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	if (reading->core ? read_core(reading) : read_process(reading))
		reading->picture = NULL;
}

static void answer(void *owner, const struct error *err)
{
	struct reading *reading = owner;

	if (err) {
		call_fail(reading->call, err);
	} else if (reading->picture) {
		reading->record.picture = reading->picture;
		call_answer(reading->call, stack_record_render,
			    &reading->record);
	} else {
		call_fail(reading->call, &reading->err);
	}
	stack_picture_free(reading->picture);
}

static const struct job_type stack_reading = { read_stacks, answer, free };

static void stack(struct call *call)
{
	static const struct stack_options defaults = STACK_OPTIONS_DEFAULT;
	struct reading *reading = calloc(1, sizeof(*reading));
	struct error err = ERROR_INIT;

	if (!reading) {
		error_set(&err, ERROR_NO_MEMORY, "stack: no memory");
		call_fail(call, &err);
		return;
	}
	reading->call = call;
	reading->given = call->request.params;
	reading->options = defaults;
	if (parse_whom(call->request.params, reading, &err) ||
	    parse(call->request.params, &reading->options, &err) ||
	    limits_take_redaction(call->request.params,
				  &reading->record.redaction, &err)) {
		call_fail(call, &err);
		free(reading);
		return;
	}
	job_start(call->daemon, &reading->job, &stack_reading, reading);
}

const struct method method_stack = { "stack", params, stack, GATE_PROCESS,
				     RIGHT_STACK };
