/* SPDX-License-Identifier: MIT */
#include "injector/hijack/handshake.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "injector/hijack/agent_file.h"
#include "injector/hijack/die.h"
#include "injector/hijack/region.h"
#include "injector/owned.h"
#include "injector/printable.h"

/* The part of struct boot that the new thread writes. */
struct news {
	int32_t state, step, result, tid;
	int32_t memfd, daemon_socket, agent_socket;
	char message[256];
};

_Static_assert(offsetof(struct boot, message) - offsetof(struct boot, state) ==
		       offsetof(struct news, message),
	       "news is a part of boot");

static bool read_news(const struct entry *entry, struct news *ret_news)
{
	if (!memory_read(&entry->target->memory,
			 entry_boot(entry) + offsetof(struct boot, state),
			 ret_news, sizeof(*ret_news)))
		return false;
	ret_news->message[sizeof(ret_news->message) - 1] = '\0';
	make_printable(ret_news->message);
	return true;
}

static void tell(const struct entry *entry, int32_t go)
{
	/* Who has left already need not be told. */
	(void)region_write(entry, offsetof(struct boot, go), &go, sizeof(go));
}

/* The region is gone: with the process, or because the thread, which has a
 * time-out of its own, waited no longer. */
static int thread_left(const struct entry *entry, struct error *err)
{
	if (!process_same(entry->id))
		return error_set(err, ERROR_TARGET_EXIT, "process %d ended",
				 entry->id->pid);
	error_set(err, ERROR_TIMEOUT,
		  "the agent's thread was not served within %u ms, and left",
		  entry->options->handshake_ms);
	return error_remedy(err, "try again");
}

/* Waits until the thread has come as far as state, or has failed. */
static int wait_state(const struct entry *entry, int state,
		      struct deadline *deadline, struct news *ret_news,
		      struct error *err)
{
	do {
		if (!read_news(entry, ret_news)) {
			if (state < BOOT_LOADED || !process_same(entry->id))
				return thread_left(entry, err);
			/* It came and went: the socket says why. */
			ret_news->state = BOOT_DONE;
		}
		if (ret_news->state >= state || ret_news->state == BOOT_FAILED)
			return 0;
	} while (deadline_wait(deadline));
	if (entry->invites && ret_news->state < BOOT_THREAD) {
		error_set(err, ERROR_TIMEOUT,
			  "no thread at a safe point in %u tries, and the "
			  "main thread ran no pending call within %u ms",
			  entry->tries, entry->options->handshake_ms);
		return error_remedy(err, "try again");
	}
	error_set(err, ERROR_TIMEOUT,
		  "the agent's thread did not %s within %u ms",
		  ret_news->state < BOOT_THREAD ? "start"
		  : state == BOOT_LOADED	? "load the agent"
						: "open its descriptors",
		  entry->options->handshake_ms);
	return error_remedy(err, "the program may be importing a library; "
				 "try again");
}

static int failed(const struct news *news, struct error *err)
{
	if (news->step == BOOT_STEP_SOCKET)
		return error_set_errno(err, ERROR_ATTACH, -news->result,
				       "socketpair in the target");
	if (news->step == BOOT_STEP_DLOPEN)
		return error_set(err, ERROR_AGENT, "dlopen: %.150s",
				 news->message);
	return error_set(err, ERROR_AGENT, "the agent lacks its entry");
}

static int write_path(const struct entry *entry, const struct agent_file *file,
		      struct error *err)
{
	if (region_write(entry, offsetof(struct boot, path), file->path,
			 sizeof(file->path)))
		return 0;
	return thread_left(entry, err);
}

static int place(const struct entry *entry, const struct news *news,
		 struct agent_file *file, struct error *err)
{
	pid_t pid = entry->id->pid;
	int fd = entry->options->agent_fd;

	if (news->memfd >= 0 && agent_file_proc_usable(pid) &&
	    !agent_file_memfd(file, entry->id, fd, news->memfd, err))
		return write_path(entry, file, err);
	if (agent_file_create(file, pid, fd, err))
		return -1;
	return write_path(entry, file, err);
}

/* Tells the thread to load; what could not be loaded from the memfd is tried
 * once more from a file (a /proc of another pid namespace, a policy). */
static int load(const struct entry *entry, struct news *news,
		struct agent_file *file, struct deadline *deadline,
		struct error *err)
{
	tell(entry, BOOT_RUN);
	if (wait_state(entry, BOOT_LOADED, deadline, news, err))
		return -1;
	if (news->state != BOOT_FAILED)
		return 0;
	if (news->step != BOOT_STEP_DLOPEN || file->directory >= 0)
		return failed(news, err);
	failed(news, err);
	if (agent_file_create(file, entry->id->pid, entry->options->agent_fd,
			      NULL) ||
	    write_path(entry, file, NULL))
		return -1;
	tell(entry, BOOT_RETRY);
	while (read_news(entry, news) && news->state == BOOT_FAILED &&
	       news->result == 0)
		if (!deadline_wait(deadline))
			break;
	if (news->state >= BOOT_LOADED)
		return 0;
	return failed(news, err);
}

/* The number comes out of the target's memory: it must be what was asked for.
 */
static int fetch_socket(const struct process_id *id, int number,
			struct error *err)
{
	owned_fd sock = (int)syscall(SYS_pidfd_getfd, id->pidfd, number, 0);
	int domain = 0, type = 0;
	socklen_t size = sizeof(int);

	if (sock < 0)
		return error_set_errno(err, ERROR_ATTACH, errno,
				       "pidfd_getfd of the socket");
	if (getsockopt(sock, SOL_SOCKET, SO_DOMAIN, &domain, &size) ||
	    getsockopt(sock, SOL_SOCKET, SO_TYPE, &type, &size) ||
	    domain != AF_UNIX || type != SOCK_SEQPACKET)
		return error_set(err, ERROR_ATTACH,
				 "the target gave another descriptor than "
				 "asked for");
	return steal_fd(&sock);
}

static int run(const struct entry *entry, int *ret_socket, pid_t *ret_tid,
	       struct error *err)
{
	struct deadline deadline = deadline_in_ms(entry->options->handshake_ms);
	struct agent_file file = AGENT_FILE_INIT;
	owned_fd sock = -1;
	struct news news;
	int result;

	if (wait_state(entry, BOOT_FDS, &deadline, &news, err))
		return -1;
	if (news.state == BOOT_FAILED)
		return failed(&news, err);
	sock = fetch_socket(entry->id, news.daemon_socket, err);
	if (sock < 0 || entry_permit(entry, err))
		return -1;
	die_point(DIE_FETCHED);
	result = place(entry, &news, &file, err);
	die_point(DIE_PLACED);
	if (!result)
		result = load(entry, &news, &file, &deadline, err);
	die_point(DIE_LOADED);
	agent_file_remove(&file);
	if (result || entry_permit(entry, err))
		return -1;
	error_clear(err);
	*ret_tid = news.tid;
	*ret_socket = steal_fd(&sock);
	return 0;
}

int handshake_run(const struct entry *entry, int *ret_socket, pid_t *ret_tid,
		  struct error *err)
{
	if (!run(entry, ret_socket, ret_tid, err))
		return 0;
	tell(entry, BOOT_ABORT);
	return -1;
}
