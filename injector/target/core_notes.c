/* SPDX-License-Identifier: MIT */
#include "injector/target/core_notes.h"

#include <elf.h>
#include <gelf.h>
#include <libelf.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/stat.h>

#define SEGMENTS_MAX (1u << 20)
#define THREADS_MAX 65536u
#define MAPPED_MAX (1u << 20)
#define NOTES_MAX (1u << 30)

static int broken(struct error *err, const char *what)
{
	return error_set(err, ERROR_SYSTEM, "the core file is broken: %s",
			 what);
}

/* ---- threads, signal
 * ------------------------------------------------------------- */

static int add_thread(struct core_file *core, const void *note, size_t size,
		      struct error *err)
{
	struct core_thread *thread;
	struct elf_prstatus status;
	void *grown;

	if (size < sizeof(status) || core->thread_count == THREADS_MAX)
		return broken(err, "its threads");
	grown = reallocarray(core->threads, core->thread_count + 1,
			     sizeof(*core->threads));
	if (!grown)
		return error_set(err, ERROR_NO_MEMORY, "threads of a core");
	core->threads = grown;
	thread = &core->threads[core->thread_count++];
	memset(thread, 0, sizeof(*thread));
	memcpy(&status, note, sizeof(status));
	thread->tid = status.pr_pid;
	thread->signal = status.pr_cursig;
	_Static_assert(sizeof(status.pr_reg) <= sizeof(thread->regs.word),
		       "the general registers fit");
	memcpy(thread->regs.word, &status.pr_reg, sizeof(status.pr_reg));
	thread->regs.size = sizeof(status.pr_reg);
	return 0;
}

static void take_process(struct core_file *core, const void *note, size_t size)
{
	struct elf_prpsinfo info;

	if (size < sizeof(info))
		return;
	memcpy(&info, note, sizeof(info));
	core->pid = info.pr_pid;
	memcpy(core->name, info.pr_fname, CORE_NAME);
	for (char *at = core->name; *at; at++)
		if ((unsigned char)*at < ' ' || (unsigned char)*at > '~')
			*at = '?';
}

static void take_signal(struct core_file *core, const void *note, size_t size)
{
	siginfo_t info;

	if (size < sizeof(info))
		return;
	memcpy(&info, note, sizeof(info));
	core->signal = info.si_signo;
	/* si_code > 0: from the kernel, not from kill(2) */
	if (info.si_code > 0 &&
	    (info.si_signo == SIGSEGV || info.si_signo == SIGBUS ||
	     info.si_signo == SIGILL || info.si_signo == SIGFPE))
		core->fault = (uint64_t)(uintptr_t)info.si_addr;
}

static void take_auxiliary(struct core_file *core, const void *note,
			   size_t size)
{
	Elf64_auxv_t entry;

	for (size_t at = 0; at + sizeof(entry) <= size; at += sizeof(entry)) {
		memcpy(&entry, (const char *)note + at, sizeof(entry));
		if (entry.a_type == AT_PHDR)
			core->program_headers = entry.a_un.a_val;
	}
}

/* ---- mapped files
 * ---------------------------------------------------------------- */

/* The same name as before, in almost all cases the last one. */
static bool name_file(struct core_file *core, const char *name,
		      unsigned *ret_file)
{
	struct core_mapped_file *grown;

	for (size_t i = core->file_count; i > 0; i--) {
		if (strcmp(core->files[i - 1].name, name) != 0)
			continue;
		*ret_file = (unsigned)(i - 1);
		return true;
	}
	grown = reallocarray(core->files, core->file_count + 1,
			     sizeof(*core->files));
	if (!grown)
		return false;
	core->files = grown;
	grown[core->file_count] =
		(struct core_mapped_file){ .name = name, .fd = -1 };
	*ret_file = (unsigned)core->file_count++;
	return true;
}

static int compare_mapped(const void *left, const void *right)
{
	const struct core_mapped *a = left, *b = right;

	return a->low < b->low ? -1 : a->low > b->low;
}

/* NT_FILE: count, page size, (low, high, offset in pages) of each, names. */
static int take_files(struct core_file *core, const void *note, size_t size,
		      struct error *err)
{
	const size_t head = 2 * sizeof(uint64_t), each = 3 * sizeof(uint64_t);
	uint64_t word[3];
	const char *name, *end;

	if (size < head || core->names)
		return broken(err, "its list of files");
	memcpy(word, note, head);
	if (word[0] > MAPPED_MAX || word[0] > (size - head) / each ||
	    word[1] > 1u << 30)
		return broken(err, "its list of files");
	core->names = malloc(size + 1);
	core->mapped = calloc(word[0] + 1, sizeof(*core->mapped));
	if (!core->names || !core->mapped)
		return error_set(err, ERROR_NO_MEMORY, "files of a core");
	memcpy(core->names, note, size);
	core->names[size] = '\0';
	end = core->names + size;
	name = core->names + head + word[0] * each;
	for (uint64_t i = 0, count = word[0], page = word[1]; i < count; i++) {
		struct core_mapped *mapped = &core->mapped[core->mapped_count];

		memcpy(word, (const char *)note + head + i * each, each);
		if (name >= end || word[0] >= word[1] || strchr(name, '\n'))
			return broken(err, "its list of files");
		*mapped = (struct core_mapped){ .low = word[0],
						.high = word[1],
						.offset = word[2] * page };
		if (!name_file(core, name, &mapped->file))
			return error_set(err, ERROR_NO_MEMORY,
					 "files of a core");
		core->mapped_count++;
		name += strlen(name) + 1;
	}
	qsort(core->mapped, core->mapped_count, sizeof(*core->mapped),
	      compare_mapped);
	return 0;
}

static int take_note(struct core_file *core, const GElf_Nhdr *header,
		     const void *note, struct error *err)
{
	size_t size = header->n_descsz;

	switch (header->n_type) {
	case NT_PRSTATUS:
		return add_thread(core, note, size, err);
	case NT_FILE:
		return take_files(core, note, size, err);
	case NT_PRPSINFO:
		take_process(core, note, size);
		break;
	case NT_SIGINFO:
		/* gdb writes one for each thread: the first counts. */
		if (!core->signal)
			take_signal(core, note, size);
		break;
	case NT_AUXV:
		take_auxiliary(core, note, size);
		break;
	default:
		break;
	}
	return 0;
}

static int take_notes(struct core_file *core, Elf *elf,
		      const GElf_Phdr *segment, struct error *err)
{
	GElf_Nhdr header;
	size_t at = 0, name, note;
	Elf_Data *data;

	if (segment->p_filesz > NOTES_MAX)
		return broken(err, "its notes are too long");
	data = elf_getdata_rawchunk(elf, (int64_t)segment->p_offset,
				    segment->p_filesz, ELF_T_NHDR);
	if (!data || !data->d_buf)
		return broken(err, "its notes end early");
	while ((at = gelf_getnote(data, at, &header, &name, &note)) > 0) {
		const char *bytes = data->d_buf;

		/* "CORE": the kernel's; others may use the same numbers. */
		if (header.n_namesz != 5 ||
		    memcmp(bytes + name, "CORE", 5) != 0)
			continue;
		if (take_note(core, &header, bytes + note, err))
			return -1;
	}
	return 0;
}

/* ---- segments
 * -------------------------------------------------------------------- */

static void add_segment(struct core_file *core, const GElf_Phdr *from,
			uint64_t file_size)
{
	struct core_segment *to = &core->segments[core->segment_count];
	uint64_t filled = from->p_filesz;

	if (from->p_vaddr + from->p_memsz <= from->p_vaddr)
		return;
	if (filled > from->p_memsz)
		filled = from->p_memsz;
	if (from->p_offset > file_size || filled > file_size - from->p_offset) {
		filled = from->p_offset > file_size
				 ? 0
				 : file_size - from->p_offset;
		core->cut = true;
	}
	*to = (struct core_segment){
		.low = from->p_vaddr,
		.high = from->p_vaddr + from->p_memsz,
		.offset = from->p_offset,
		.filled = filled,
		.rights = (from->p_flags & PF_R ? MAPPING_READ : 0u) |
			  (from->p_flags & PF_W ? MAPPING_WRITE : 0u) |
			  (from->p_flags & PF_X ? MAPPING_EXEC : 0u),
	};
	core->segment_count++;
}

static int compare_segments(const void *left, const void *right)
{
	const struct core_segment *a = left, *b = right;

	return a->low < b->low ? -1 : a->low > b->low;
}

/* gcore leaves out whole what was mapped from a file, to be read or executed,
 * and never written: it has no rights then, and gets those of code. */
static int add_left_out(struct core_file *core, struct error *err)
{
	size_t known = core->segment_count, at = 0;
	struct core_segment *grown =
		reallocarray(core->segments, known + core->mapped_count + 1,
			     sizeof(*core->segments));

	if (!grown)
		return error_set(err, ERROR_NO_MEMORY, "segments of a core");
	core->segments = grown;
	for (size_t i = 0; i < core->mapped_count; i++) {
		const struct core_mapped *mapped = &core->mapped[i];

		while (at < known && grown[at].high <= mapped->low)
			at++;
		if (at < known && grown[at].low < mapped->high)
			continue;
		grown[core->segment_count++] = (struct core_segment){
			.low = mapped->low,
			.high = mapped->high,
			.rights = MAPPING_READ | MAPPING_EXEC,
		};
	}
	return 0;
}

static int check_kind(Elf *elf, struct error *err)
{
	GElf_Ehdr header;

	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header) ||
	    header.e_type != ET_CORE) {
		error_set(err, ERROR_NOT_PYTHON, "the file is no core file");
		return error_remedy(err, "give the core of a process, as the "
					 "kernel or gcore writes it");
	}
	if (gelf_getclass(elf) != ELFCLASS64 ||
	    header.e_machine != arch.elf_machine)
		return error_set(err, ERROR_UNSUPPORTED,
				 "the core file is of another CPU");
	return 0;
}

static int read_headers(struct core_file *core, Elf *elf, uint64_t file_size,
			struct error *err)
{
	GElf_Phdr segment;
	size_t count;

	if (elf_getphdrnum(elf, &count) || count > SEGMENTS_MAX)
		return broken(err, "its program headers");
	core->segments = calloc(count + 1, sizeof(*core->segments));
	if (!core->segments)
		return error_set(err, ERROR_NO_MEMORY, "segments of a core");
	for (size_t i = 0; i < count; i++) {
		if (!gelf_getphdr(elf, (int)i, &segment))
			return broken(err, "its program headers");
		if (segment.p_type == PT_LOAD)
			add_segment(core, &segment, file_size);
		else if (segment.p_type == PT_NOTE &&
			 take_notes(core, elf, &segment, err))
			return -1;
	}
	qsort(core->segments, core->segment_count, sizeof(*core->segments),
	      compare_segments);
	if (add_left_out(core, err))
		return -1;
	qsort(core->segments, core->segment_count, sizeof(*core->segments),
	      compare_segments);
	if (!core->thread_count)
		return broken(err, "it has no thread");
	if (!core->pid)
		core->pid = core->threads[0].tid;
	if (!core->signal)
		core->signal = core->threads[0].signal;
	return 0;
}

int core_notes_read(struct core_file *core, struct error *err)
{
	struct stat file;
	Elf *elf;
	int failed;

	elf_version(EV_CURRENT);
	if (fstat(core->fd, &file))
		return broken(err, "its size is not told");
	elf = elf_begin(core->fd, ELF_C_READ, NULL);
	if (!elf)
		return broken(err, elf_errmsg(-1));
	failed = check_kind(elf, err) ||
		 read_headers(core, elf, (uint64_t)file.st_size, err);
	elf_end(elf);
	return failed ? -1 : 0;
}
