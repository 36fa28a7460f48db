/* SPDX-License-Identifier: MIT */
#include "daemon/access.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX 96

int access_new(struct rulebook *book, const struct peer *peer,
	       struct process_id *id, struct access **ret_access,
	       struct error *err)
{
	struct access *access = calloc(1, sizeof(*access));

	if (!access)
		return error_set(err, ERROR_NO_MEMORY,
				 "no memory to ask for permission");
	if (peer_copy(peer, &access->peer, err)) {
		free(access);
		return -1;
	}
	access->book = rulebook_hold(book);
	access->id = *id;
	id->pidfd = -1;
	access->permission = (struct permission)PERMISSION_INIT;
	access->memory = -1;
	*ret_access = access;
	return 0;
}

void access_free(struct access *access)
{
	if (!access)
		return;
	access_settle(access);
	process_close(&access->id);
	peer_release(&access->peer);
	rulebook_drop(access->book);
	free(access);
}

/* ---- examining
 * ------------------------------------------------------------------ */

static bool owns(const struct peer *peer, const struct process_identity *who)
{
	return who->uid[0] == peer->uid && who->uid[1] == peer->uid &&
	       who->uid[2] == peer->uid;
}

static struct decision decide(const struct access *access,
			      const struct process_identity *who)
{
	const struct peer *peer = &access->peer;
	const struct policy_client client = { peer->uid, peer->gid,
					      peer->group_count, peer->groups };
	const struct policy_process process = {
		.uid = { who->uid[0], who->uid[1], who->uid[2] },
		.program = who->program,
		.program_proven = who->program_proven,
		.cgroup = who->cgroup,
	};

	return policy_decide(&access->book->policy, &client, &process);
}

/* Of a process of one's own that cannot be traced one may know. */
static uint32_t rights_left(const struct verdict *verdict)
{
	if (verdict->granted)
		return verdict->decision.rights;
	return verdict->kernel.own ? verdict->decision.rights & RIGHT_SEE
				   : RIGHTS_NONE;
}

/* What the process is, then who may: a process that becomes another in between
 * is judged by what the kernel says of the later one. */
static void judge(struct access *access, struct permission *permission,
		  size_t index)
{
	struct verdict verdict = { .decision = { RIGHTS_NONE, -1, -1 } };
	struct permission_case *kernel = &verdict.kernel;
	struct process_identity *who = malloc(sizeof(*who));

	kernel->answer = (struct permission_answer){ EAGAIN, EAGAIN };
	verdict.gone = who && process_identify(access->id.pid, who, NULL);
	if (who && !verdict.gone &&
	    !permission_ask(permission, index, &kernel->answer, NULL, NULL)) {
		kernel->own = owns(&access->peer, who);
		kernel->yama = permission_yama();
		kernel->yama_own = access->book->policy.yama_own;
		verdict.granted = permission_granted(kernel);
		verdict.decision = decide(access, who);
	}
	free(who);
	verdict.gone |= kernel->answer.attach == ESRCH ||
			kernel->answer.attach == ENOENT ||
			!process_same(&access->id);
	if (verdict.gone)
		verdict.granted = false;
	verdict.rights = verdict.gone ? RIGHTS_NONE : rights_left(&verdict);
	access->verdict = verdict;
}

void access_examine(struct access *const *list, size_t count)
{
	struct permission permission = PERMISSION_INIT;
	const struct process_id **ids = calloc(count + 1, sizeof(*ids));

	for (size_t i = 0; ids && i < count; i++)
		ids[i] = &list[i]->id;
	/* Without a child nothing can be asked: judge() finds that out. */
	if (ids && count)
		(void)!permission_open(&list[0]->peer, ids, count, false,
				       &permission, NULL);
	for (size_t i = 0; i < count; i++)
		judge(list[i], &permission, i);
	permission_close(&permission);
	free(ids);
}

int access_prepare(struct access *access, struct error *err)
{
	const struct process_id *id = &access->id;

	long yama = access->book->policy.yama_own ? permission_yama() : 0;
	struct permission_answer answer;

	access_settle(access);
	if (permission_open(&access->peer, &id, 1, yama == 1 || yama == 2,
			    &access->permission, err) ||
	    permission_ask(&access->permission, 0, &answer, &access->memory,
			   err))
		return -1;
	/* root could have it anyway; the daemon's own powers decide. */
	if (access->memory >= 0 || access->peer.uid == 0)
		return 0;
	error_set(err, ERROR_NOT_PERMITTED,
		  "process %d became another, or may not be traced any more",
		  (int)id->pid);
	return error_remedy(err, "try again");
}

void access_settle(struct access *access)
{
	permission_close(&access->permission);
	if (access->memory >= 0)
		close(access->memory);
	access->memory = -1;
}

int access_again(struct access *access, uint32_t rights, struct error *err)
{
	struct access *const list[] = { access };

	if (access->permission.fd >= 0)
		judge(access, &access->permission, 0);
	else
		access_examine(list, 1);
	if (access_has(&access->verdict, rights))
		return 0;
	return access_refuse(&access->verdict, access->book, &access->peer,
			     access->id.pid, rights, err);
}

/* ---- saying it
 * ------------------------------------------------------------------ */

bool access_has(const struct verdict *verdict, uint32_t rights)
{
	if (rights == RIGHTS_ENTER)
		return verdict->rights & RIGHTS_ENTER;
	return (verdict->rights & rights) == rights;
}

static const char *kernel_remedy(const struct permission_case *kernel)
{
	if (!kernel->own)
		return "run as that user, or as root";
	if (kernel->yama >= 3)
		return "Yama forbids all tracing until the machine restarts: "
		       "set kernel.yama.ptrace_scope below 3 before";
	if (!kernel->answer.read && kernel->yama > 0)
		return "Yama forbids it: run as root, sysctl "
		       "kernel.yama.ptrace_scope=0, or \"yama\": \"own\" in "
		       "the policy";
	return "it is not dumpable, or protected (capabilities, a security "
	       "module): run as root";
}

static int refuse_kernel(const struct verdict *verdict, const struct peer *peer,
			 pid_t pid, struct error *err)
{
	int error = verdict->kernel.answer.attach;

	if (error != EPERM && error != EACCES) {
		error_set_errno(err, ERROR_NOT_PERMITTED, error,
				"process %d: the kernel could not be asked for "
				"permission",
				pid);
		return error_remedy(err, "try again");
	}
	error_set(err, ERROR_NOT_PERMITTED,
		  "the kernel does not let user %u trace process %d",
		  (unsigned)peer->uid, pid);
	return error_remedy(err, "%s", kernel_remedy(&verdict->kernel));
}

int access_refuse(const struct verdict *verdict, const struct rulebook *book,
		  const struct peer *peer, pid_t pid, uint32_t rights,
		  struct error *err)
{
	uint32_t missing = rights & ~verdict->decision.rights;
	int rule = verdict->decision.doubtful >= 0 ? verdict->decision.doubtful
						   : verdict->decision.rule;

	if (verdict->gone) {
		error_set(err, ERROR_NO_PROCESS, "no process %d", pid);
		return error_remedy(err, "list the Python processes: nopdb ps");
	}
	if (!verdict->granted)
		return refuse_kernel(verdict, peer, pid, err);
	if (rule < 0)
		error_set(err, ERROR_NOT_PERMITTED,
			  "no rule of the policy lets user %u '%s' process %d",
			  (unsigned)peer->uid, rights_name(missing), pid);
	else
		error_set(err, ERROR_NOT_PERMITTED,
			  "rule '%.63s' of the policy does not let user %u "
			  "'%s' process %d",
			  rulebook_rule(book, rule), (unsigned)peer->uid,
			  rights_name(missing), pid);
	return error_remedy(err,
			    "nopdb doctor %d tells what is granted; ask "
			    "who keeps the daemon's policy",
			    pid);
}

void access_explain(const struct verdict *verdict, const struct rulebook *book,
		    const struct peer *peer, char *buf, size_t size)
{
	const struct decision *decision = &verdict->decision;
	char text[TEXT_MAX];

	if (decision->rule < 0) {
		snprintf(buf, size, "no rule (of %u) grants user %u anything",
			 book->policy.count, (unsigned)peer->uid);
		return;
	}
	rights_text(decision->rights, text, sizeof(text));
	if (decision->doubtful < 0)
		snprintf(buf, size, "rule '%s' grants user %u %s",
			 rulebook_rule(book, decision->rule),
			 (unsigned)peer->uid, text);
	else
		snprintf(buf, size,
			 "rule '%s', within rule '%s', which may apply, "
			 "grants user %u %s",
			 rulebook_rule(book, decision->rule),
			 rulebook_rule(book, decision->doubtful),
			 (unsigned)peer->uid, text);
}
