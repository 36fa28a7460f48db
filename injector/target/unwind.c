/* SPDX-License-Identifier: MIT */
#include "injector/target/unwind.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "injector/target/threads.h"

/* Internal to libunwind's headers but exported by the library; perf uses it
 * the same way (tools/perf/util/unwind-libunwind-local.c). */
#define search_unwind_table UNW_OBJ(dwarf_search_unwind_table)
int search_unwind_table(unw_addr_space_t space, unw_word_t ip,
			unw_dyn_info_t *tables, unw_proc_info_t *info,
			int need_info, void *arg);

/* Encodings of .eh_frame_hdr (LSB, "DWARF exception header encoding"). */
#define ENCODING_UDATA4 0x03
#define ENCODING_SDATA4 0x0b
#define ENCODING_PCREL 0x10
#define ENCODING_TABLE 0x3b /* datarel | sdata4: sorted, searchable */

static bool read_target(struct unwind *unwind, uint64_t address, void *buf,
			size_t size)
{
	uint64_t offset = address - unwind->stack_low;

	if (offset < unwind->stack_size &&
	    size <= unwind->stack_size - offset) {
		memcpy(buf, unwind->stack + offset, size);
		if (offset + size > unwind->stack_used)
			unwind->stack_used = offset + size;
		return true;
	}
	/* Only what is mapped from a file stays as it is between two walks. */
	if (modules_covering(unwind->modules, address))
		return memory_read_cached(unwind->memory, address, buf, size);
	unwind->strayed = true;
	return memory_read(unwind->memory, address, buf, size);
}

/* Where the binary search table of a module starts and how long it is. */
static bool find_table(struct unwind *unwind, const struct module *module,
		       unw_dyn_info_t *ret_tables)
{
	uint64_t header = module->image.eh_frame_hdr + module->bias;
	uint8_t fields[4];
	uint32_t count;

	if (!module->loaded || !module->image.eh_frame_hdr ||
	    !memory_read_cached(unwind->memory, header, fields, 4))
		return false;
	/* What every linker writes: version 1, a pc-relative pointer of four
	 * bytes, a count of four, the sorted table. */
	if (fields[0] != 1 || fields[1] != (ENCODING_PCREL | ENCODING_SDATA4) ||
	    fields[2] != ENCODING_UDATA4 || fields[3] != ENCODING_TABLE ||
	    !memory_read_cached(unwind->memory, header + 8, &count, 4))
		return false;
	memset(ret_tables, 0, sizeof(*ret_tables));
	ret_tables->format = UNW_INFO_FORMAT_REMOTE_TABLE;
	ret_tables->start_ip = module->low;
	ret_tables->end_ip = module->high;
	ret_tables->u.rti.segbase = header;
	ret_tables->u.rti.table_data = header + 12;
	ret_tables->u.rti.table_len = count * 8ull / sizeof(unw_word_t);
	return true;
}

static int on_find_info(unw_addr_space_t space, unw_word_t ip,
			unw_proc_info_t *info, int need_info, void *arg)
{
	struct unwind *unwind = arg;
	const struct module *module = modules_at(unwind->modules, ip);
	unw_dyn_info_t tables;

	if (!module || !find_table(unwind, module, &tables))
		return -UNW_ENOINFO;
	return search_unwind_table(space, ip, &tables, info, need_info, arg);
}

static void on_put_info(unw_addr_space_t space, unw_proc_info_t *info,
			void *arg)
{
}

static int on_dynamic_list(unw_addr_space_t space, unw_word_t *address,
			   void *arg)
{
	return -UNW_ENOINFO;
}

static int on_memory(unw_addr_space_t space, unw_word_t address,
		     unw_word_t *value, int write, void *arg)
{
	if (write || !read_target(arg, address, value, sizeof(*value)))
		return -UNW_EINVAL;
	return 0;
}

static int on_register(unw_addr_space_t space, unw_regnum_t number,
		       unw_word_t *value, int write, void *arg)
{
	struct unwind *unwind = arg;
	uint64_t word;

	if (unwind->partial && number != (unw_regnum_t)arch.dwarf_sp &&
	    number != (unw_regnum_t)arch.dwarf_pc) {
		unwind->missed = true;
		return -UNW_EBADREG;
	}
	if (write || number < 0 ||
	    !arch.dwarf_register(unwind->regs, (unsigned)number, &word))
		return -UNW_EBADREG;
	*value = word;
	return 0;
}

static int on_fp_register(unw_addr_space_t space, unw_regnum_t number,
			  unw_fpreg_t *value, int write, void *arg)
{
	return -UNW_EBADREG;
}

static int on_resume(unw_addr_space_t space, unw_cursor_t *cursor, void *arg)
{
	return -UNW_EINVAL;
}

static int on_name(unw_addr_space_t space, unw_word_t address, char *buf,
		   size_t size, unw_word_t *offset, void *arg)
{
	return -UNW_ENOINFO;
}

static unw_accessors_t accessors = {
	.find_proc_info = on_find_info,
	.put_unwind_info = on_put_info,
	.get_dyn_info_list_addr = on_dynamic_list,
	.access_mem = on_memory,
	.access_reg = on_register,
	.access_fpreg = on_fp_register,
	.resume = on_resume,
	.get_proc_name = on_name,
};

/* libunwind sets itself up in its first call, and looks whether it has without
 * a lock: two first calls at once would race. */
static void set_up_libunwind(void)
{
	unw_addr_space_t space = unw_create_addr_space(&accessors, 0);

	if (!space)
		return;
	unw_set_caching_policy(space, UNW_CACHE_GLOBAL);
	unw_destroy_addr_space(space);
}

int unwind_init(struct unwind *unwind, const struct modules *modules,
		struct memory *memory, struct error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, set_up_libunwind);
	memset(unwind, 0, sizeof(*unwind));
	unwind->modules = modules;
	unwind->memory = memory;
	unwind->stack = malloc(UNWIND_STACK);
	unwind->known.stack = malloc(UNWIND_STACK);
	unwind->known.counters = calloc(UNWIND_FRAMES, sizeof(uint64_t));
	unwind->space = unw_create_addr_space(&accessors, 0);
	if (!unwind->stack || !unwind->space || !unwind->known.stack ||
	    !unwind->known.counters) {
		unwind_release(unwind);
		return error_set(err, ERROR_NO_MEMORY, "unwinder");
	}
	unw_set_caching_policy(unwind->space, UNW_CACHE_GLOBAL);
	return 0;
}

void unwind_release(struct unwind *unwind)
{
	if (!unwind)
		return;
	if (unwind->space)
		unw_destroy_addr_space(unwind->space);
	free(unwind->stack);
	free(unwind->known.stack);
	free(unwind->known.counters);
	memset(unwind, 0, sizeof(*unwind));
}

/* Above the innermost frames the stack may end before the snapshot does. */
static void snapshot_stack(struct unwind *unwind, const struct regs *regs)
{
	unwind->stack_used = 0;
	unwind->strayed = false;
	unwind->stack_low = arch.sp(regs) - arch.red_zone;
	unwind->stack_size = memory_read_some(unwind->memory, unwind->stack_low,
					      unwind->stack, UNWIND_STACK);
}

size_t unwind_frames(struct unwind *unwind, const struct regs *regs,
		     bool partial, struct unwind_frame *frames, size_t max,
		     bool *ret_whole)
{
	unw_cursor_t cursor;
	unw_word_t ip, sp;
	size_t count = 0;
	int step = -1;

	*ret_whole = false;
	unwind->regs = regs;
	unwind->partial = partial;
	unwind->missed = false;
	snapshot_stack(unwind, regs);
	if (!unw_init_remote(&cursor, unwind->space, unwind)) {
		do {
			if (unw_get_reg(&cursor, UNW_REG_IP, &ip) || !ip ||
			    unw_get_reg(&cursor, UNW_REG_SP, &sp)) {
				step = ip ? -1 : 0;
				break;
			}
			frames[count].pc = ip;
			frames[count++].sp = sp;
		} while (count < max && (step = unw_step(&cursor)) > 0);
	}
	*ret_whole = step == 0 && !unwind->missed;
	unwind->partial = false;
	return count;
}

uint64_t unwind_function(struct unwind *unwind, uint64_t address)
{
	unw_proc_info_t info;

	return unw_get_proc_info_by_ip(unwind->space, address, &info, unwind)
		       ? 0
		       : info.start_ip;
}

static size_t walk(struct unwind *unwind, const struct regs *regs,
		   uint64_t *counters, size_t max)
{
	unw_cursor_t cursor;
	unw_word_t ip;
	size_t count = 0;

	unwind->regs = regs;
	unwind->missed = false;
	snapshot_stack(unwind, regs);
	if (unw_init_remote(&cursor, unwind->space, unwind))
		return 0;
	do {
		if (unw_get_reg(&cursor, UNW_REG_IP, &ip) || !ip)
			break;
		counters[count++] = ip;
	} while (count < max && unw_step(&cursor) > 0);
	return count;
}

/* The thread need not stand still meanwhile: what was read of its stack is kept
 * with what came of it, and compared when it is stopped. */
static void get_to_know(struct unwind *unwind, const struct regs *regs)
{
	struct unwind_known *known = &unwind->known;

	unwind->partial = true;
	known->count = walk(unwind, regs, known->counters, UNWIND_FRAMES);
	unwind->partial = false;
	known->used =
		unwind->missed || unwind->strayed ? 0 : unwind->stack_used;
	known->sp = arch.sp(regs);
	known->pc = arch.pc(regs);
	memcpy(known->stack, unwind->stack, known->used);
}

static bool is_known(struct unwind *unwind, const struct regs *regs, size_t max)
{
	const struct unwind_known *known = &unwind->known;

	return known->used && known->count <= max &&
	       known->sp == arch.sp(regs) && known->pc == arch.pc(regs) &&
	       memory_read(unwind->memory, known->sp - arch.red_zone,
			   unwind->stack, known->used) &&
	       !memcmp(unwind->stack, known->stack, known->used);
}

size_t unwind_walk(struct unwind *unwind, const struct regs *regs,
		   uint64_t *counters, size_t max)
{
	const struct unwind_known *known = &unwind->known;

	if (!is_known(unwind, regs, max))
		return walk(unwind, regs, counters, max);
	memcpy(counters, known->counters, known->count * sizeof(*counters));
	return known->count;
}

static void load_tables(struct unwind *unwind)
{
	for (size_t i = 0; i < unwind->modules->count; i++) {
		const struct module *module = &unwind->modules->list[i];
		const struct elf_image *image = &module->image;

		if (!module->loaded ||
		    !(module->traits &
		      (MODULE_LIBC | MODULE_PYTHON | MODULE_EXECUTABLE)))
			continue;
		memory_preload(unwind->memory,
			       image->eh_frame_hdr + module->bias,
			       image->eh_frame_hdr_end + module->bias);
		memory_preload(unwind->memory, image->eh_frame + module->bias,
			       image->eh_frame_end + module->bias);
	}
}

/* A blind walk from where a waiting thread is known to be: most registers are
 * missing, and most walks ask for none. If not, at least its innermost frames,
 * and libunwind itself, get warm. */
void unwind_warm(struct unwind *unwind)
{
	static const uint64_t nothing[6];
	struct regs regs = { .size = sizeof(regs.word) };
	struct threads threads;
	uint64_t sp, pc;

	load_tables(unwind);
	if (threads_read(unwind->memory->pid, &threads, NULL))
		return;
	if (threads.count && thread_position(unwind->memory->pid,
					     threads.list[0].tid, &sp, &pc)) {
		arch.set_syscall(&regs, pc, sp, 0, nothing);
		get_to_know(unwind, &regs);
	}
	threads_release(&threads);
}
