/* SPDX-License-Identifier: MIT */
#include "injector/target/process.h"

#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "injector/injector.h"
#include "injector/owned.h"
#include "injector/target/procfs.h"

int process_missing(pid_t pid, struct error *err)
{
	error_set(err, ERROR_NO_PROCESS, "no process %d", pid);
	return error_remedy(err, "list the Python processes: nopdb ps");
}

int process_unread(pid_t pid, int cause, struct error *err)
{
	bool forbidden = cause == EACCES || cause == EPERM;

	if (process_is_gone(cause))
		return process_missing(pid, err);
	error_set_errno(err,
			forbidden	  ? ERROR_NOT_PERMITTED
			: cause == ENOMEM ? ERROR_NO_MEMORY
					  : ERROR_SYSTEM,
			cause, "reading /proc/%d", pid);
	if (forbidden)
		return error_remedy(err, "run as that user, or as root");
	if (cause == EMFILE || cause == ENFILE)
		return error_remedy(err, "raise the limit of open files, or "
					 "leave other programs first");
	return -1;
}

int process_is_thread(pid_t pid, pid_t tgid, struct error *err)
{
	error_set(err, ERROR_NO_PROCESS, "%d is a thread, not a process", pid);
	return error_remedy(err, "use the process's id, %d", tgid);
}

/* Some milliseconds of an end, or pthread_exit(3) in main. */
static int first_thread_ended(pid_t pid, struct error *err)
{
	error_set(err, ERROR_ZOMBIE,
		  "the first thread of process %d has ended, and others have "
		  "not",
		  pid);
	return error_remedy(err, "try again; a program that goes on so cannot "
				 "be read or entered");
}

int process_ended(pid_t pid, const struct procfs_stat *stat, struct error *err)
{
	if (stat->state == 'Z' && stat->threads > 1)
		return first_thread_ended(pid, err);
	error_set(err, ERROR_ZOMBIE,
		  "process %d has ended; its parent has not collected it", pid);
	return error_remedy(err, "look at its parent; list what runs: nopdb "
				 "ps");
}

static bool tells_of_end(const struct error *err)
{
	return err->code == ERROR_NO_PROCESS || err->code == ERROR_ZOMBIE ||
	       err->code == ERROR_TARGET_EXIT;
}

int process_lacks(pid_t pid, struct error *err)
{
	struct procfs_stat stat;

	if (err && tells_of_end(err))
		return -1;
	if (!procfs_stat(pid, &stat))
		return process_is_gone(errno) ? process_missing(pid, err) : -1;
	if (stat.exiting || stat.state == 'Z' || stat.state == 'X')
		return process_ended(pid, &stat, err);
	return -1;
}

int process_open(pid_t pid, struct process_id *ret_id, struct error *err)
{
	struct procfs_status status;
	struct procfs_stat stat;
	owned_fd fd = -1;

	if (pid <= 0)
		return error_set(err, ERROR_NO_PROCESS, "%d is no process id",
				 pid);
	if (!procfs_status(pid, &status))
		return process_unread(pid, errno, err);
	if (status.tgid != pid)
		return process_is_thread(pid, status.tgid, err);
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0 && errno == ESRCH)
		return process_missing(pid, err);
	if (fd < 0)
		return error_set_errno(err, ERROR_SYSTEM, errno,
				       "pidfd_open(%d)", pid);
	/* Read after the pidfd is held: it can no longer be another's. */
	if (!procfs_stat(pid, &stat))
		return process_unread(pid, errno, err);
	if (stat.state == 'Z' || stat.state == 'X')
		return process_ended(pid, &stat, err);
	ret_id->pid = pid;
	ret_id->start_time = stat.start_time;
	ret_id->pidfd = steal_fd(&fd);
	return 0;
}

bool process_same(const struct process_id *id)
{
	struct pollfd ended = { .fd = id->pidfd, .events = POLLIN };
	struct procfs_stat stat;

	errno = ESRCH;
	if (id->pidfd < 0)
		return false;
	/* A pidfd becomes readable when its process has ended. Where it cannot
	 * be asked, the start time tells. */
	if (poll(&ended, 1, 0) > 0 || !procfs_stat(id->pid, &stat))
		return false;
	errno = ESRCH;
	return stat.state != 'Z' && stat.state != 'X' &&
	       stat.start_time == id->start_time;
}

void process_close(struct process_id *id)
{
	if (!id || id->pidfd < 0)
		return;
	close(id->pidfd);
	id->pidfd = -1;
}
