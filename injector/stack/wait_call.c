/* SPDX-License-Identifier: MIT */
#include "injector/stack/wait_call.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define CALL_TEXT 1024u
#define PATH_SHOWN 256u
#define ARGUMENTS 6

/* One letter an argument:
 *   d descriptor  n number  i int  x address or flags in hex  p path
 *   f futex operation  o flags of open  k lock operation  c command of fcntl
 *   t timespec  v timeval  l clock  w options of wait  W whom waitid awaits
 */
struct signature {
	long number;
	const char *arguments;
};

static const struct signature signatures[] = {
	{ SYS_futex, "xfntxx" },
	{ SYS_read, "dxn" },
	{ SYS_readv, "dxn" },
	{ SYS_pread64, "dxnn" },
	{ SYS_preadv, "dxnn" },
	{ SYS_recvfrom, "dxnxxx" },
	{ SYS_recvmsg, "dxx" },
	{ SYS_recvmmsg, "dxnxt" },
	{ SYS_accept, "dxx" },
	{ SYS_accept4, "dxxx" },
	{ SYS_connect, "dxn" },
	{ SYS_write, "dxn" },
	{ SYS_writev, "dxn" },
	{ SYS_pwrite64, "dxnn" },
	{ SYS_pwritev, "dxnn" },
	{ SYS_sendto, "dxnxxx" },
	{ SYS_sendmsg, "dxx" },
	{ SYS_sendmmsg, "dxnx" },
	{ SYS_sendfile, "ddxn" },
	{ SYS_splice, "dxdxnx" },
	{ SYS_copy_file_range, "dxdxnx" },
	{ SYS_fsync, "d" },
	{ SYS_fdatasync, "d" },
	{ SYS_ftruncate, "dn" },
	{ SYS_fallocate, "dxnn" },
	{ SYS_close, "d" },
	{ SYS_getdents64, "dxn" },
	{ SYS_fstat, "dx" },
	{ SYS_ioctl, "dxx" },
	{ SYS_shutdown, "dn" },
	{ SYS_ppoll, "xntxn" },
	{ SYS_pselect6, "nxxxtx" },
	{ SYS_epoll_pwait, "dxnixn" },
#ifdef SYS_poll
	{ SYS_poll, "xni" },
	{ SYS_select, "nxxxv" },
	{ SYS_epoll_wait, "dxni" },
	{ SYS_pause, "" },
	{ SYS_open, "pox" },
	{ SYS_stat, "px" },
	{ SYS_lstat, "px" },
	{ SYS_access, "pn" },
	{ SYS_mkdir, "px" },
	{ SYS_rmdir, "p" },
	{ SYS_unlink, "p" },
	{ SYS_rename, "pp" },
	{ SYS_link, "pp" },
	{ SYS_symlink, "pp" },
	{ SYS_readlink, "pxn" },
	{ SYS_chmod, "px" },
	{ SYS_fork, "" },
	{ SYS_vfork, "" },
#endif
	{ SYS_openat, "dpox" },
	{ SYS_newfstatat, "dpxx" },
	{ SYS_statx, "dpxxx" },
	{ SYS_faccessat, "dpn" },
	{ SYS_mkdirat, "dpx" },
	{ SYS_unlinkat, "dpx" },
	{ SYS_renameat2, "dpdpx" },
	{ SYS_readlinkat, "dpxn" },
	{ SYS_statfs, "px" },
	{ SYS_truncate, "pn" },
	{ SYS_chdir, "p" },
	{ SYS_execve, "pxx" },
	{ SYS_mount, "pppxx" },
	{ SYS_umount2, "px" },
	{ SYS_sync, "" },
	{ SYS_clone, "xxxxx" },
	{ SYS_munmap, "xn" },
	{ SYS_madvise, "xnn" },
	{ SYS_mprotect, "xnx" },
	{ SYS_msync, "xnx" },
	{ SYS_exit_group, "i" },
	{ SYS_nanosleep, "tx" },
	{ SYS_clock_nanosleep, "lxtx" },
	{ SYS_restart_syscall, "" },
	{ SYS_wait4, "ixwx" },
	{ SYS_waitid, "Wixwx" },
	{ SYS_flock, "dk" },
	{ SYS_fcntl, "dcx" },
	{ SYS_rt_sigsuspend, "xn" },
	{ SYS_rt_sigtimedwait, "xxtn" },
	{ SYS_semtimedop, "nxnt" },
	{ SYS_semop, "nxn" },
	{ SYS_msgrcv, "nxnix" },
	{ SYS_msgsnd, "nxnx" },
	{ SYS_mq_timedreceive, "dxnxt" },
	{ SYS_mq_timedsend, "dxnnt" },
	{ SYS_io_uring_enter, "dnnxxn" },
};

struct word {
	uint64_t value;
	const char *name;
};

static const struct word open_flags[] = {
	{ O_CREAT, "O_CREAT" },
	{ O_EXCL, "O_EXCL" },
	{ O_TRUNC, "O_TRUNC" },
	{ O_APPEND, "O_APPEND" },
	{ O_NONBLOCK, "O_NONBLOCK" },
	{ O_DSYNC, "O_DSYNC" },
	{ O_DIRECT, "O_DIRECT" },
	{ O_DIRECTORY, "O_DIRECTORY" },
	{ O_NOFOLLOW, "O_NOFOLLOW" },
	{ O_CLOEXEC, "O_CLOEXEC" },
	{ O_PATH & ~O_ACCMODE, "O_PATH" },
};

static const struct word futex_operations[] = {
	{ FUTEX_WAIT, "FUTEX_WAIT" },
	{ FUTEX_LOCK_PI, "FUTEX_LOCK_PI" },
	{ FUTEX_WAIT_BITSET, "FUTEX_WAIT_BITSET" },
	{ FUTEX_WAIT_REQUEUE_PI, "FUTEX_WAIT_REQUEUE_PI" },
	{ 13, "FUTEX_LOCK_PI2" },
};

static const struct word lock_operations[] = {
	{ LOCK_SH, "LOCK_SH" },
	{ LOCK_EX, "LOCK_EX" },
	{ LOCK_UN, "LOCK_UN" },
};

static const struct word commands[] = {
	{ F_SETLK, "F_SETLK" },
	{ F_SETLKW, "F_SETLKW" },
	{ F_OFD_SETLKW, "F_OFD_SETLKW" },
};

static const struct word clocks[] = {
	{ CLOCK_REALTIME, "CLOCK_REALTIME" },
	{ CLOCK_MONOTONIC, "CLOCK_MONOTONIC" },
	{ CLOCK_BOOTTIME, "CLOCK_BOOTTIME" },
};

static const struct word whom[] = {
	{ P_ALL, "P_ALL" },
	{ P_PID, "P_PID" },
	{ P_PGID, "P_PGID" },
	{ 3, "P_PIDFD" },
};

static const struct word wait_options[] = {
	{ WNOHANG, "WNOHANG" }, { WUNTRACED, "WUNTRACED" },
	{ WEXITED, "WEXITED" }, { WCONTINUED, "WCONTINUED" },
	{ WNOWAIT, "WNOWAIT" },
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* A call while it is put into words. */
struct sentence {
	const struct explain *explain;
	char text[CALL_TEXT];
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void add(struct sentence *sentence,
						      const char *format, ...)
{
	size_t room = sizeof(sentence->text) - sentence->used;
	va_list list;
	int size;

	va_start(list, format);
	size = vsnprintf(sentence->text + sentence->used, room, format, list);
	va_end(list);
	if (size > 0)
		sentence->used += (size_t)size < room ? (size_t)size : room - 1;
}

static void add_number(struct sentence *sentence, uint64_t value)
{
	if ((int32_t)value < 0 && (int32_t)value >= -4096 &&
	    (value >> 32 == 0 || value >> 32 == UINT32_MAX))
		add(sentence, "%" PRId32, (int32_t)value);
	else
		add(sentence, "%" PRIu64, value);
}

/* The one whose value it is, or else the number. */
static void add_one(struct sentence *sentence, const struct word *list,
		    size_t count, uint64_t value)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].value == value) {
			add(sentence, "%s", list[i].name);
			return;
		}
	add(sentence, "0x%" PRIx64, value);
}

/* All that are in it, and what is left. */
static void add_flags(struct sentence *sentence, const struct word *list,
		      size_t count, uint64_t value, const char *between)
{
	for (size_t i = 0; i < count; i++) {
		if ((value & list[i].value) != list[i].value)
			continue;
		add(sentence, "%s%s", between, list[i].name);
		value &= ~list[i].value;
		between = "|";
	}
	if (value)
		add(sentence, "%s0x%" PRIx64, between, value);
}

static void add_open(struct sentence *sentence, uint64_t value)
{
	static const char *const modes[] = { "O_RDONLY", "O_WRONLY", "O_RDWR",
					     "O_ACCMODE" };

	add(sentence, "%s", modes[value & O_ACCMODE]);
	add_flags(sentence, open_flags, COUNT(open_flags),
		  value & ~(uint64_t)(O_ACCMODE | O_LARGEFILE), "|");
}

static void add_futex(struct sentence *sentence, uint64_t value)
{
	uint64_t flags = FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME;

	add_one(sentence, futex_operations, COUNT(futex_operations),
		value & ~flags);
	if (value & FUTEX_CLOCK_REALTIME)
		add(sentence, "|FUTEX_CLOCK_REALTIME");
	if (!(value & FUTEX_PRIVATE_FLAG))
		add(sentence, " (shared)");
}

static bool path_at(const struct explain *explain, uint64_t address, char *buf,
		    size_t size)
{
	size_t got;

	if (!address)
		return false;
	got = remote_read_some(explain->python->remote, address, buf, size - 1);
	buf[got] = '\0';
	return got > 0;
}

/* As bytes come: the writer of JSON replaces what is no UTF-8. */
static void add_path(struct sentence *sentence, uint64_t address)
{
	char path[PATH_SHOWN];

	if (path_at(sentence->explain, address, path, sizeof(path)))
		add(sentence, "\"%s\"", path);
	else
		add(sentence, "0x%" PRIx64, address);
}

/* A timespec or timeval; unit: nanoseconds in its smaller word. */
static void add_time(struct sentence *sentence, uint64_t address, uint64_t unit)
{
	int64_t word[2];

	if (!address)
		add(sentence, "NULL");
	else if (remote_read(sentence->explain->python->remote, address, word,
			     sizeof(word)) &&
		 word[1] >= 0 && word[1] < INT32_MAX)
		add(sentence, "{%" PRId64 ".%03u s}", word[0],
		    (unsigned)((uint64_t)word[1] * unit / 1000000));
	else
		add(sentence, "0x%" PRIx64, address);
}

static void add_plain(struct sentence *sentence, char kind, uint64_t value)
{
	if (kind == 'd' && (int32_t)value == AT_FDCWD)
		add(sentence, "AT_FDCWD");
	else if (kind == 'd' || kind == 'i')
		add(sentence, "%" PRId32, (int32_t)value);
	else if (kind == 'n')
		add_number(sentence, value);
	else if (!value)
		add(sentence, "0");
	else
		add(sentence, "0x%" PRIx64, value);
}

static void add_argument(struct sentence *sentence, char kind, uint64_t value)
{
	switch (kind) {
	case 'p':
		add_path(sentence, value);
		break;
	case 'o':
		add_open(sentence, value);
		break;
	case 'f':
		add_futex(sentence, value);
		break;
	case 'k':
		add_one(sentence, lock_operations, COUNT(lock_operations),
			value);
		break;
	case 'c':
		add_one(sentence, commands, COUNT(commands), value);
		break;
	case 'l':
		add_one(sentence, clocks, COUNT(clocks), value);
		break;
	case 'W':
		add_one(sentence, whom, COUNT(whom), value);
		break;
	case 'w':
		if (!value)
			add(sentence, "0");
		add_flags(sentence, wait_options, COUNT(wait_options), value,
			  "");
		break;
	case 't':
		add_time(sentence, value, 1);
		break;
	case 'v':
		add_time(sentence, value, 1000);
		break;
	default:
		add_plain(sentence, kind, value);
		break;
	}
}

static const char *arguments_of(long number)
{
	for (size_t i = 0; i < COUNT(signatures); i++)
		if (signatures[i].number == number)
			return signatures[i].arguments;
	return "xxxxxx";
}

const char *wait_call_name(long number)
{
	return arch.call_name(number);
}

const char *wait_call_text(const struct explain *explain, size_t thread)
{
	const struct kernel_thread *kernel =
		&explain->reader->inside[thread].kernel;
	const char *name = arch.call_name(kernel->syscall);
	const char *arguments = arguments_of(kernel->syscall);
	struct sentence sentence = { .explain = explain };

	if (!name)
		return NULL;
	add(&sentence, "%s(", name);
	for (int i = 0; i < ARGUMENTS && arguments[i]; i++) {
		add(&sentence, "%s", i ? ", " : "");
		add_argument(&sentence, arguments[i], kernel->argument[i]);
	}
	return arena_printf(explain->arena, "%s)", sentence.text);
}

const char *wait_call_path(const struct explain *explain, size_t thread)
{
	const struct kernel_thread *kernel =
		&explain->reader->inside[thread].kernel;
	const char *arguments = arguments_of(kernel->syscall);
	const char *at = strchr(arguments, 'p');
	char path[PATH_SHOWN];

	if (!at || !path_at(explain, kernel->argument[at - arguments], path,
			    sizeof(path)))
		return NULL;
	return arena_copy(explain->arena, path, strlen(path));
}
