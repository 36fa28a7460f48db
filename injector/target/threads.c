/* SPDX-License-Identifier: MIT */
#include "injector/target/threads.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "injector/arch/arch.h"
#include "injector/target/procfs.h"
#include "injector/target/process.h"

#define THREADS_MAX 65536u

/* A receive that is to fill its buffer returns at a stop with what it has. */
static bool receives_all(const char *syscall)
{
	unsigned long argument[4] = { 0 };
	long number;

	if (sscanf(syscall, "%ld %lx %lx %lx %lx", &number, &argument[0],
		   &argument[1], &argument[2], &argument[3]) != 5)
		return false;
	if (number == SYS_recvfrom)
		return argument[3] & MSG_WAITALL;
	return number == SYS_recvmsg && argument[2] & MSG_WAITALL;
}

enum thread_rank thread_rank(char state, const char *syscall)
{
	switch (state) {
	case 'Z':
	case 'X':
		return THREAD_DEAD;
	case 'D':
		return THREAD_UNINTERRUPTIBLE;
	case 'T':
		return THREAD_STOPPED;
	case 't':
		return THREAD_TRACED;
	case 'R':
		return THREAD_RUNNING;
	default:
		break;
	}
	if (!syscall)
		return THREAD_UNKNOWN;
	if (!isdigit((unsigned char)syscall[0]))
		return THREAD_RUNNING;
	if (receives_all(syscall))
		return THREAD_CALLING;
	switch (arch.kind(strtol(syscall, NULL, 10))) {
	case SYSCALL_BLOCKING:
		return THREAD_BLOCKED;
	case SYSCALL_FUTEX:
	case SYSCALL_RESTART:
		return THREAD_FUTEX;
	case SYSCALL_EPOLL:
		return THREAD_EPOLL;
	case SYSCALL_OTHER:
		break;
	}
	return THREAD_CALLING;
}

static enum thread_rank rank_of(pid_t pid, pid_t tid)
{
	char name[64], text[512];
	struct procfs_stat stat;

	snprintf(name, sizeof(name), "task/%d/stat", tid);
	if (procfs_read(pid, name, text, sizeof(text)) <= 0 ||
	    !procfs_parse_stat(text, &stat))
		return THREAD_DEAD;
	if (stat.state == 'R')
		return THREAD_RUNNING;
	snprintf(name, sizeof(name), "task/%d/syscall", tid);
	if (procfs_read(pid, name, text, sizeof(text)) <= 0)
		return thread_rank(stat.state, NULL);
	return thread_rank(stat.state, text);
}

/* proc(5), /proc/PID/syscall: number, six arguments, SP, PC. */
bool thread_position(pid_t pid, pid_t tid, uint64_t *ret_sp, uint64_t *ret_pc)
{
	unsigned long sp, pc;
	char name[64], text[512];

	snprintf(name, sizeof(name), "task/%d/syscall", tid);
	if (procfs_read(pid, name, text, sizeof(text)) <= 0 ||
	    sscanf(text, "%*d %*x %*x %*x %*x %*x %*x %lx %lx", &sp, &pc) != 2)
		return false;
	*ret_sp = sp;
	*ret_pc = pc;
	return true;
}

static int compare_rank(const void *left, const void *right)
{
	const struct thread *a = left, *b = right;

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return a->tid < b->tid ? -1 : a->tid > b->tid;
}

static int add_thread(struct threads *threads, size_t *room, pid_t pid,
		      pid_t tid)
{
	struct thread *more;

	if (threads->count == *room) {
		*room = *room ? *room * 2 : 64;
		more = realloc(threads->list, *room * sizeof(*more));
		if (!more)
			return -1;
		threads->list = more;
	}
	threads->list[threads->count].tid = tid;
	threads->list[threads->count].rank = rank_of(pid, tid);
	threads->count++;
	return 0;
}

int threads_read(pid_t pid, struct threads *ret_threads, struct error *err)
{
	struct threads threads = { 0 };
	struct dirent *entry;
	char path[64];
	size_t room = 0;
	int failed = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return process_unread(pid, errno, err);
	while (!failed && threads.count < THREADS_MAX && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			failed = add_thread(
				&threads, &room, pid,
				(pid_t)strtol(entry->d_name, NULL, 10));
	closedir(dir);
	if (failed) {
		threads_release(&threads);
		return error_set(err, ERROR_NO_MEMORY, "list of threads");
	}
	if (threads.count)
		qsort(threads.list, threads.count, sizeof(*threads.list),
		      compare_rank);
	*ret_threads = threads;
	return 0;
}

void threads_release(struct threads *threads)
{
	if (!threads)
		return;
	free(threads->list);
	memset(threads, 0, sizeof(*threads));
}
