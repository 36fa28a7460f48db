/* SPDX-License-Identifier: MIT */
/*
 * sigframe, tracee: a child is stopped, sent to the address of sigreturn with
 * nothing but its signal frame, and must go on as if nothing had been.
 */
#include "injector/hijack/sigframe.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "injector/target/modules.h"

#define WAIT_MS 2000

/* A child of ThreadSanitizer keeps its shadow where the region goes. */
#ifdef __SANITIZE_THREAD__
#define SHADOWED 1
#else
#define SHADOWED 0
#endif

/* Keeps a pattern in every vector register that the compiler uses for it, and
 * its count of loops in a pipe; ends with 1 when one of them changed. */
static void child_spins(int fd)
{
	double values[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	unsigned long loops = 0;

	for (;;) {
		double sum = 0;

		for (int i = 0; i < 8; i++)
			sum += values[i] * values[i];
		if (sum != 204.0)
			_exit(1);
		if (++loops % 100000 == 0 &&
		    write(fd, &loops, sizeof(loops)) < 0)
			_exit(0);
	}
}

static pid_t start(int *ret_fd)
{
	int ends[2];
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		close(ends[0]);
		child_spins(ends[1]);
	}
	close(ends[1]);
	*ret_fd = ends[0];
	return pid;
}

static struct gadgets find_gadgets(pid_t pid)
{
	struct gadgets gadgets = { 0 };
	struct error err = ERROR_INIT;
	struct modules modules;
	const struct module *libc;
	bool found = false;

	ck_assert_int_eq(modules_read(pid, &modules, &err), 0);
	libc = modules_with(&modules, MODULE_LIBC);
	ck_assert_ptr_nonnull(libc);
	/* A fork: its libc is where ours is. */
	for (unsigned i = 0; i < libc->texts; i++)
		found |= arch.find_gadgets(
			(const uint8_t *)(uintptr_t)libc->text[i].low,
			libc->text[i].high - libc->text[i].low,
			libc->text[i].low, &gadgets);
	ck_assert(found);
	modules_release(&modules);
	return gadgets;
}

enum { LENGTH = 0x20000 };

/* Where nothing is, in any program. */
static const uint64_t region = 0x123450000000;

/* The registers to send it home with, or to map the region with. */
static struct regs on_the_way(const struct tracee *tracee,
			      const struct gadgets *gadgets,
			      const struct sigframe *frame, bool maps)
{
	const uint64_t arguments[6] = {
		region,
		LENGTH,
		PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		(uint64_t)-1,
	};
	static const uint64_t nothing[6];
	struct regs regs = tracee->regs;

	if (maps)
		arch.set_syscall(&regs, gadgets->syscall_ret, frame->undo,
				 SYS_mmap, arguments);
	else
		arch.set_syscall(&regs, gadgets->sigreturn,
				 frame->address + sizeof(uint64_t), 0, nothing);
	return regs;
}

/* What the stopped child wrote so far: what comes next it writes at home. */
static void drain(int fd)
{
	char bytes[65536];
	int size = 0;

	ck_assert_int_eq(ioctl(fd, FIONREAD, &size), 0);
	ck_assert_int_le(size, (int)sizeof(bytes));
	ck_assert_int_eq(size ? read(fd, bytes, (size_t)size) : 0, size);
}

static void send_home(struct tracee *tracee, const struct memory *memory,
		      const struct gadgets *gadgets, bool maps, int fd)
{
	struct deadline deadline = deadline_in_ms(WAIT_MS);
	struct error err = ERROR_INIT;
	static struct fpregs cleared;
	struct iovec io = { cleared.bytes, 0 };
	struct sigframe frame;
	struct regs regs;

	ck_assert_int_eq(tracee_seize(tracee, &err), 0);
	ck_assert_int_eq(tracee_interrupt(tracee, &err), 0);
	ck_assert_int_eq(tracee_wait(tracee, &deadline).kind, STOP_INTERRUPT);
	ck_assert_int_eq(tracee_save(tracee, &err), 0);
	ck_assert_msg(!sigframe_write(tracee, memory, gadgets, region, LENGTH,
				      &frame, &err),
		      "%s at %llx", err.msg,
		      (unsigned long long)arch.sp(&tracee->regs));
	io.iov_len = tracee->fpregs.size;
	/* The arguments and all vector registers are lost. */
	regs = on_the_way(tracee, gadgets, &frame, maps);
	ck_assert(tracee_set_regs(tracee, &regs));
	ck_assert_int_eq(
		ptrace(PTRACE_SETREGSET, tracee->tid, arch.fp_note, &io), 0);
	drain(fd);
	ptrace(PTRACE_DETACH, tracee->tid, 0, 0);
}

START_TEST(goes_home)
{
	struct error err = ERROR_INIT;
	struct tracee *tracee = calloc(1, sizeof(*tracee));
	struct gadgets gadgets;
	struct memory memory;
	struct alarm alarm;
	unsigned long loops;
	int fd;
	pid_t pid = start(&fd);

	ck_assert_ptr_nonnull(tracee);
	ck_assert_int_eq(alarm_init(&alarm, &err), 0);
	ck_assert_int_eq(memory_init(&memory, pid, &err), 0);
	gadgets = find_gadgets(pid);
	for (int i = 0; i < 100; i++) {
		tracee_init(tracee, pid, pid, &alarm);
		send_home(tracee, &memory, &gadgets, _i, fd);
		ck_assert_int_eq(read(fd, &loops, sizeof(loops)),
				 sizeof(loops));
	}
	/* What was mapped on the way is gone. */
	ck_assert(!memory_read(&memory, region, &loops, sizeof(loops)));
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(fd);
	memory_release(&memory);
	alarm_release(&alarm);
	free(tracee);
}
END_TEST

static struct fpregs fpregs;

static void read_fpregs(const struct tracee *tracee, struct fpregs *ret_state)
{
	struct iovec io = { ret_state->bytes, sizeof(ret_state->bytes) };

	ck_assert_int_eq(
		ptrace(PTRACE_GETREGSET, tracee->tid, arch.fp_note, &io), 0);
	ret_state->size = io.iov_len;
}

enum { SOFTWARE = 464, HEADER = 512, AVX = 576, AVX_END = 832 };

/* Loses nothing, the part that a small regset holds, or AVX besides. */
static void lose(const struct tracee *tracee, struct fpregs *state, int what)
{
	struct iovec io = { state->bytes, state->size };
	uint64_t features = 7;

	if (what > 0)
		memset(state->bytes + 160, 0x77, 256);
	if (what > 1 && state->size >= AVX_END) {
		memcpy(state->bytes + HEADER, &features, sizeof(features));
		memset(state->bytes + AVX, 0x66, AVX_END - AVX);
	}
	ck_assert_int_eq(
		ptrace(PTRACE_SETREGSET, tracee->tid, arch.fp_note, &io), 0);
}

/* Whatever was lost, by the part or by the whole. */
START_TEST(restores)
{
	struct deadline deadline = deadline_in_ms(WAIT_MS);
	struct error err = ERROR_INIT;
	struct tracee *tracee = calloc(1, sizeof(*tracee));
	static struct fpregs lost, found;
	uint8_t part[FPREGS_PART];
	struct alarm alarm;
	int fd;
	pid_t pid = start(&fd);

	ck_assert_ptr_nonnull(tracee);
	ck_assert_int_eq(alarm_init(&alarm, &err), 0);
	tracee_init(tracee, pid, pid, &alarm);
	ck_assert_int_eq(tracee_seize(tracee, &err), 0);
	ck_assert_int_eq(tracee_interrupt(tracee, &err), 0);
	ck_assert_int_eq(tracee_wait(tracee, &deadline).kind, STOP_INTERRUPT);
	ck_assert_int_eq(tracee_save(tracee, &err), 0);
	lost = tracee->fpregs;
	lose(tracee, &lost, _i);
	read_fpregs(tracee, &lost);
	if (lost.size >= AVX_END)
		ck_assert_int_eq(arch.fp_part(&tracee->fpregs, &lost, part),
				 _i < 2);
	ck_assert_int_eq(tracee_restore(tracee, &err), 0);
	read_fpregs(tracee, &found);
	ck_assert_uint_eq(found.size, tracee->fpregs.size);
	ck_assert_mem_eq(found.bytes, tracee->fpregs.bytes, SOFTWARE);
	ck_assert_mem_eq(found.bytes + AVX, tracee->fpregs.bytes + AVX,
			 found.size - AVX);
	ptrace(PTRACE_DETACH, pid, 0, 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(fd);
	alarm_release(&alarm);
	free(tracee);
}
END_TEST

START_TEST(layout)
{
	struct regs regs = { .size = 216 };
	uint8_t frame[4096];
	uint64_t address, word;
	size_t size;

	arch.set_syscall(&regs, 0x1234, 0x7fff1000, 0,
			 (const uint64_t[6]){ 0 });
	fpregs.size = 832;
	size = arch.sigframe(&regs, &fpregs, 0xabcd, 0x7777, 0x7fff1000, frame,
			     sizeof(frame), &address);
	ck_assert_uint_gt(size, 832);
	/* Below the top, and aligned as the kernel would. */
	ck_assert_uint_le(address + size, 0x7fff1000);
	ck_assert_uint_eq((address + 8) % 16, 0);
	memcpy(&word, frame, sizeof(word));
	ck_assert_uint_eq(word, 0x7777);
	/* Too small a buffer, or a state of nonsensical size. */
	ck_assert_uint_eq(arch.sigframe(&regs, &fpregs, 0, 0, 0x7fff1000, frame,
					1000, &address),
			  0);
	fpregs.size = 100;
	ck_assert_uint_eq(arch.sigframe(&regs, &fpregs, 0, 0, 0x7fff1000, frame,
					sizeof(frame), &address),
			  0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sigframe");
	TCase *tcase = tcase_create("sigframe");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	if (!SHADOWED)
		tcase_add_loop_test(tcase, goes_home, 0, 2);
	tcase_add_loop_test(tcase, restores, 0, 3);
	tcase_add_test(tcase, layout);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
