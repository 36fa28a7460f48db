/* SPDX-License-Identifier: MIT */
#include "injector/hijack/region.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include "injector/stub/entries.h"

/* The assembled stub, made by the Makefile. */
extern const uint8_t stub_blob[], stub_blob_end[];

/* Room above the stub's stack pointer; keeps it aligned. */
#define REGION_STACK_TOP 256u
/* Python's compiler, which the agent calls with what a user writes, recurses as
 * deep as the usual 8 MiB bear. The default is less on musl (128 KB) and as the
 * program's limit was when it began (setrlimit(2)): ulimit -s 256. */
#define REGION_THREAD_STACK (8u << 20)
/* So much longer than the injector does the thread wait for it: who writes to
 * the region must give up first. With the default time-out of the handshake
 * the thread of a killed daemon is gone within 5 s. */
#define REGION_PATIENCE_MS 2000

/* Descriptors of ours are numbered from here on, at least and at most. A table
 * has room for 64 from the beginning (NR_OPEN_DEFAULT). */
#define REGION_FDS_LEAST 32
#define REGION_FDS_MOST 512

/* Gaps between mappings: one of this size is always there but in a program
 * that reserves nearly all of its address space. */
#define REGION_GAP_MIN (64ull << 30)
#define REGION_GAP_MAX (1ull << 40)
/* What user space has with four levels of page tables. */
#define REGION_CEILING 0x7ffffffff000ull

/* In the highest wide gap: near the other mappings, where tools that watch a
 * program's memory (sanitizers) expect some, but not beside them, where the
 * kernel puts the next ones. */
uint64_t region_spot(const struct maps *maps, uint64_t chance)
{
	uint64_t high = REGION_CEILING, low, span;

	for (size_t i = maps->count + 1; i-- > 0;) {
		low = i ? maps->list[i - 1].high : 0;
		if (high > low && high - low >= REGION_GAP_MIN) {
			span = high - low;
			if (span > REGION_GAP_MAX)
				span = REGION_GAP_MAX;
			return (high - span / 64 - chance % (span / 2) -
				BOOT_REGION) &
			       ~(uint64_t)(MEMORY_PAGE - 1);
		}
		if (i && maps->list[i - 1].low < high)
			high = maps->list[i - 1].low;
	}
	return 0;
}

int region_choose(pid_t pid, uint64_t *ret_address, struct error *err)
{
	uint64_t chance, address;
	struct maps maps;

	if (getrandom(&chance, sizeof(chance), 0) != sizeof(chance))
		return error_set_errno(err, ERROR_SYSTEM, errno, "getrandom");
	if (maps_read(pid, &maps, err))
		return -1;
	address = region_spot(&maps, chance);
	maps_release(&maps);
	if (!address)
		return error_set(err, ERROR_ATTACH,
				 "process %d has no free range of addresses",
				 pid);
	*ret_address = address;
	return 0;
}

int region_map(const struct remote *remote, uint64_t address, struct error *err)
{
	const uint64_t arguments[6] = {
		address,
		BOOT_REGION,
		PROT_READ | PROT_WRITE | PROT_EXEC,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		(uint64_t)-1,
		0,
	};
	int64_t result;

	if (remote_syscall(remote, remote->undo, SYS_mmap, arguments, &result,
			   err))
		return -1;
	if (result < 0 && result > -4096) {
		error_set_errno(err, ERROR_ATTACH, (int)-result,
				"mapping memory for the stub");
		return error_remedy(err, "SELinux, or a hardened service "
					 "manager, may forbid it");
	}
	return 0;
}

void region_unmap(const struct remote *remote, uint64_t region)
{
	const uint64_t arguments[6] = { region, BOOT_REGION };
	int64_t result;

	/* A failure leaves 128 KB behind, and there is nobody to tell. */
	if (remote_syscall(remote, remote->sigframe, SYS_munmap, arguments,
			   &result, NULL))
		return;
}

uint64_t region_hijack_entry(uint64_t region)
{
	return region + STUB_HIJACK;
}

uint64_t region_stack(uint64_t region)
{
	return region + BOOT_REGION - REGION_STACK_TOP;
}

int region_roll_call(const struct interpreter *target)
{
	return target->musl ? BOOT_SIGSYNCCALL : BOOT_SIGSETXID;
}

/* What the injector writes of the region, at once. */
struct image {
	uint8_t stub[BOOT_DATA];
	struct boot boot;
};

/* In the upper half of the table of descriptors, which is free in nearly every
 * program. It must not grow: the kernel lets us wait until every processor has
 * done with the old one (expand_fdtable, fs/file.c), which takes 10 ms, and
 * seconds on a machine that has too much to do. */
static int32_t fds_from(unsigned table_size)
{
	unsigned half = table_size / 2;

	return half < REGION_FDS_LEAST	? REGION_FDS_LEAST
	       : half > REGION_FDS_MOST ? REGION_FDS_MOST
					: (int32_t)half;
}

static void fill_boot(const struct entry *entry, struct boot *boot)
{
	const struct interpreter *target = entry->target;

	memset(boot, 0, sizeof(*boot));
	boot->magic = BOOT_MAGIC;
	boot->version = NOPDB_AGENT_ABI;
	boot->size = sizeof(*boot);
	boot->base = entry->region;
	boot->length = BOOT_REGION;
	boot->sigframe = entry->sigframe.address;
	boot->syscall_ret = target->symbols.gadgets.syscall_ret;
	boot->thread_entry = entry->region + STUB_THREAD;
	boot->stack_size = REGION_THREAD_STACK;
	boot->libc = target->symbols.libc;
	boot->memfd = boot->daemon_socket = boot->agent_socket = -1;
	boot->go_timeout_ms =
		(int32_t)entry->options->handshake_ms + REGION_PATIENCE_MS;
	boot->fds_from = fds_from(entry->fd_table);
	boot->roll_call = region_roll_call(target);
	boot->pending_entry = entry->region + STUB_PENDING;
	if (entry->invites)
		boot->add_pending =
			target->symbols.table.address[SYM_Py_AddPendingCall];
	boot->python_version = target->version;
	if (!(target->python->traits & MODULE_EXECUTABLE))
		boot->python =
			target->symbols.table.address[SYM_Py_IsInitialized];
	boot->symbols = target->symbols.table;
}

int region_fill(const struct entry *entry, struct error *err)
{
	size_t size = (size_t)(stub_blob_end - stub_blob);
	struct image image;

	_Static_assert(offsetof(struct image, boot) == BOOT_DATA, "contract");
	if (size > sizeof(image.stub))
		return error_set(err, ERROR_INTERNAL, "the stub is too large");
	memset(image.stub, 0, sizeof(image.stub));
	memcpy(image.stub, stub_blob, size);
	fill_boot(entry, &image.boot);
	if (!memory_write(&entry->target->memory, entry->region, &image,
			  sizeof(image)))
		return error_set(err, ERROR_ATTACH,
				 "the boot region cannot be written");
	return 0;
}

/* Once the thread left, the addresses may be those of something else. */
static bool read_head(const struct entry *entry, struct boot *ret_boot,
		      size_t size)
{
	return memory_read(&entry->target->memory, entry_boot(entry), ret_boot,
			   size) &&
	       ret_boot->magic == BOOT_MAGIC &&
	       ret_boot->size == sizeof(*ret_boot) &&
	       ret_boot->base == entry->region;
}

static bool region_present(const struct entry *entry)
{
	struct boot boot;

	return read_head(entry, &boot, offsetof(struct boot, sigframe));
}

bool region_write(const struct entry *entry, size_t offset, const void *data,
		  size_t size)
{
	return region_present(entry) &&
	       memory_write(&entry->target->memory, entry_boot(entry) + offset,
			    data, size);
}

/* What is gone already need not be told. */
static void write_word(const struct entry *entry, size_t offset, int32_t value)
{
	(void)region_write(entry, offset, &value, sizeof(value));
}

void region_abort(const struct entry *entry)
{
	write_word(entry, offsetof(struct boot, go), BOOT_ABORT);
}

void region_left(const struct entry *entry)
{
	write_word(entry, offsetof(struct boot, left), 1);
}
