/* SPDX-License-Identifier: MIT */
/*
 * core_file: a process that ended, as the kernel (core(5)) or gdb's gcore
 * wrote it down: its memory, its threads with their registers, and the files
 * that were mapped. What the core leaves out, because it can be had from a
 * file, is read from that file, if its first page, which holds the build id,
 * is the one that the core has.
 *
 * The file may be anybody's and anything: it is read, never mapped, and every
 * count in it is bounded. Not shared between threads.
 */
#ifndef NOPDB_INJECTOR_CORE_FILE_H
#define NOPDB_INJECTOR_CORE_FILE_H

#include "injector/arch/arch.h"
#include "injector/target/maps.h"

#define CORE_NAME 16u /* TASK_COMM_LEN */

struct core_segment {
	uint64_t low, high; /* in the process */
	uint64_t offset;    /* in the core */
	uint64_t filled;    /* bytes that the core has, from low on */
	unsigned rights;    /* enum mapping_right */
};

struct core_thread {
	pid_t tid;
	int signal; /* under way; 0: none */
	struct regs regs;
};

/* A part of a file that was mapped. */
struct core_mapped {
	uint64_t low, high;
	uint64_t offset; /* in the file */
	unsigned file;	 /* of files */
};

struct core_mapped_file {
	const char *name; /* as the process had it; into names */
	char *path;	  /* where it was looked for; NULL: out of memory */
	int fd;		  /* -1: not there, or not the one that was mapped */
	uint64_t inode;
	unsigned device_major, device_minor;
};

struct core_file {
	int fd;
	bool cut; /* it ends before its last segment does */
	struct core_segment *segments;
	size_t segment_count;
	struct core_thread *threads; /* the one that ended it comes first */
	size_t thread_count;
	struct core_mapped *mapped;
	size_t mapped_count;
	struct core_mapped_file *files;
	size_t file_count, files_missing;
	char *names;
	pid_t pid;
	char name[CORE_NAME + 1];
	int signal;	/* that ended it; 0: unknown, or it lives */
	uint64_t fault; /* the address that could not be used; 0: unknown */
	uint64_t program_headers; /* of the executable, in memory */
};

/* Reads an open core file; takes the descriptor over, also when it fails.
 * root: the folder below which the process's files lie, "" for our own. Fails
 * with NOT_PYTHON (no core file), UNSUPPORTED (of another CPU), SYSTEM
 * (broken), or NO_MEMORY. */
int core_open(int fd, const char *root, struct core_file *ret_core,
	      struct error *err) NOPDB_CHECKED;
void core_release(struct core_file *core);

/* A memory_source: as much as there is from address on. arg is the core. */
size_t core_read(void *arg, uint64_t address, void *buf, size_t size);

/* The thread with this id, or NULL. */
const struct core_thread *core_thread(const struct core_file *core, pid_t tid);

/* Is a mapped file, by the core's first page of it, a program or library? */
bool core_is_program(const struct core_file *core, size_t file);

/* The mappings, as maps_read gives those of a live process: with the paths
 * of the files that were found. Fails with NO_MEMORY. */
int core_maps(const struct core_file *core, struct maps *ret_maps,
	      struct error *err) NOPDB_CHECKED;

#endif
