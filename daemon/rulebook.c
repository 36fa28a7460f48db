/* SPDX-License-Identifier: MIT */
#include "daemon/rulebook.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "daemon/policy_file.h"

/* There is no such file, as opposed to: it cannot be used. */
static bool absent(const char *path)
{
	struct stat st;

	return lstat(path, &st) && (errno == ENOENT || errno == ENOTDIR);
}

int rulebook_load(const char *path, struct rulebook **ret_book,
		  struct error *err)
{
	struct rulebook *book = calloc(1, sizeof(*book));
	const char *source = path ? path : POLICY_FILE;
	bool given = path || !absent(POLICY_FILE);

	if (!book)
		return error_set(err, ERROR_NO_MEMORY,
				 "no memory for a policy");
	if (given ? policy_file_load(source, &book->policy, err)
		  : policy_load_default(&book->policy, err)) {
		free(book);
		return -1;
	}
	atomic_init(&book->users, 1);
	snprintf(book->source, sizeof(book->source), "%s",
		 given ? source : "the default policy");
	*ret_book = book;
	return 0;
}

/* Whoever holds one can hand it on: nothing has to be ordered. */
struct rulebook *rulebook_hold(struct rulebook *book)
{
	atomic_fetch_add_explicit(&book->users, 1, memory_order_relaxed);
	return book;
}

/* The last one must see what all others did with it. */
void rulebook_drop(struct rulebook *book)
{
	if (!book || atomic_fetch_sub_explicit(&book->users, 1,
					       memory_order_acq_rel) != 1)
		return;
	policy_release(&book->policy);
	free(book);
}

const char *rulebook_rule(const struct rulebook *book, int rule)
{
	return rule >= 0 && (unsigned)rule < book->policy.count
		       ? book->policy.rules[rule].name
		       : "";
}
