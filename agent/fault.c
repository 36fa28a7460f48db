/* SPDX-License-Identifier: MIT */
#include "agent/fault.h"

#include "agent/sys.h"

int fault_set(struct frame_error *err, enum error_code code, const char *text,
	      const char *detail)
{
	size_t used;

	if (!err)
		return -1;
	err->code = code;
	err->remedy[0] = '\0';
	text_copy(err->message, sizeof err->message, text);
	used = text_length(err->message);
	text_copy(err->message + used, sizeof err->message - used, detail);
	return -1;
}

int fault_remedy(struct frame_error *err, const char *text)
{
	if (err)
		text_copy(err->remedy, sizeof err->remedy, text);
	return -1;
}

int fault_finalizing(struct frame_error *err)
{
	fault_set(err, ERROR_FINALIZING,
		  "the interpreter that was entered is shutting down, or is "
		  "no more",
		  "");
	return fault_remedy(err, "detach; if the program initializes another, "
				 "attach again");
}
