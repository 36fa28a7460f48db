/* SPDX-License-Identifier: MIT */
/*
 * native: what a program's own C code does beside its Python, for native.py to
 * start in threads that Python knows nothing of. Each thread checks what it
 * computes; every mistake is counted.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BLOCKS 64
#define BLOCK_MAX 4096
#define LANES 8
#define TURNS 20000

typedef uint32_t lanes __attribute__((vector_size(4 * LANES)));

static atomic_ulong rounds, bad;

unsigned long native_rounds(void);
unsigned long native_bad(void);
int native_start(const char *kind, int threads);
void native_spin(int milliseconds);
void native_wreck(void *memory, size_t size);

unsigned long native_rounds(void)
{
	return atomic_load(&rounds);
}

unsigned long native_bad(void)
{
	return atomic_load(&bad);
}

static uint32_t next(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* Every block holds one byte all over, which must still be there. */
static int block_whole(const unsigned char *block, size_t size,
		       unsigned char mark)
{
	for (size_t i = 0; i < size; i++)
		if (block[i] != mark)
			return 0;
	return 1;
}

static void *allocate(void *arg)
{
	unsigned char *blocks[BLOCKS] = { NULL };
	size_t sizes[BLOCKS] = { 0 };
	uint32_t state = (uint32_t)(uintptr_t)arg;

	for (;;) {
		unsigned slot = next(&state) % BLOCKS;
		size_t size = 1 + next(&state) % BLOCK_MAX;

		if (!block_whole(blocks[slot], sizes[slot],
				 (unsigned char)slot))
			atomic_fetch_add(&bad, 1);
		if (next(&state) % 2) {
			free(blocks[slot]);
			blocks[slot] = malloc(size);
		} else {
			blocks[slot] = realloc(blocks[slot], size);
		}
		sizes[slot] = blocks[slot] ? size : 0;
		if (blocks[slot])
			memset(blocks[slot], (int)slot, sizes[slot]);
		atomic_fetch_add(&rounds, 1);
	}
	return arg;
}

/* A library that nothing else has loaded, so that each turn maps it anew. */
static void *load(void *arg)
{
	for (;;) {
		void *library = dlopen("libBrokenLocale.so.1", RTLD_NOW);

		if (!library || !dlsym(library, "__ctype_get_mb_cur_max"))
			atomic_fetch_add(&bad, 1);
		if (library)
			dlclose(library);
		atomic_fetch_add(&rounds, 1);
	}
	return arg;
}

/* Accumulators that live in vector registers from the first turn to the
 * last: a lost register changes the sum. */
__attribute__((target("avx2"), noinline)) static uint32_t vectors(void)
{
	lanes a = { 1, 2, 3, 4, 5, 6, 7, 8 }, b = a + 9, c = a ^ 77, d = b * 3;
	uint32_t sum = 0;

	for (int i = 0; i < TURNS; i++) {
		a = a * 5 + b;
		b = (b ^ c) + 12345;
		c = c * 3 + d;
		d = (d ^ a) - 777;
	}
	a ^= b + c * d;
	for (int i = 0; i < LANES; i++)
		sum = sum * 31 + a[i];
	return sum;
}

static void *compute(void *arg)
{
	uint32_t expected;

	if (!__builtin_cpu_supports("avx2"))
		return arg;
	expected = vectors();
	for (;;) {
		if (vectors() != expected)
			atomic_fetch_add(&bad, 1);
		atomic_fetch_add(&rounds, 1);
	}
	return arg;
}

static void *doze(void *arg)
{
	const struct timespec span = { 0, 2000000 };

	for (;;) {
		if (nanosleep(&span, NULL))
			atomic_fetch_add(&bad, 1);
		atomic_fetch_add(&rounds, 1);
	}
	return arg;
}

/* Starts that many threads of a kind; 0, or an errno. */
int native_start(const char *kind, int threads)
{
	static const struct {
		const char *name;
		void *(*run)(void *);
	} kinds[] = {
		{ "malloc", allocate },
		{ "dlopen", load },
		{ "avx", compute },
		{ "doze", doze },
	};
	int failed = -1;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, kind) != 0)
			continue;
		for (int n = 1; n <= threads; n++) {
			pthread_t thread;

			failed = pthread_create(&thread, NULL, kinds[i].run,
						(void *)(uintptr_t)n);
			if (failed)
				return failed;
			pthread_detach(thread);
		}
	}
	return failed;
}

/* Computes for so long without a system call: called with the GIL held, it is
 * the C extension that never gives it up. */
void native_spin(int milliseconds)
{
	struct timespec now;
	int64_t end;

	clock_gettime(CLOCK_MONOTONIC, &now);
	end = now.tv_sec * 1000 + now.tv_nsec / 1000000 + milliseconds;
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < end);
}

/* Writes noise, and words that stood elsewhere, over memory for ever. */
void native_wreck(void *memory, size_t size)
{
	volatile uint64_t *words = memory;
	size_t count = size / sizeof(*words);
	uint32_t state = 1;

	for (;;) {
		size_t to = next(&state) % count, from = next(&state) % count;

		switch (next(&state) % 4) {
		case 0:
			words[to] = (uint64_t)next(&state) << 32 | next(&state);
			break;
		case 1:
			words[to] = next(&state) & 1;
			break;
		default:
			words[to] = words[from];
		}
	}
}
