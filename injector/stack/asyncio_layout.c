/* SPDX-License-Identifier: MIT */
#include "injector/stack/asyncio_layout.h"

#include <stddef.h>

#include "injector/stack/asyncio_table.h"

#define TASK_BYTES_MAX 4096u
#define STATE_BYTES_MAX (4u << 20)

/* The words of Py_AsyncioModuleDebugOffsets, 3.14 and 3.15. */
enum debug_word {
	TASK_SIZE,
	TASK_NAME,
	TASK_COROUTINE = 5,
	TASK_NODE,
	INTERPRETER_SIZE,
	INTERPRETER_HEAD,
	THREAD_SIZE,
	THREAD_HEAD = 12,
};

bool asyncio_layout_find(uint32_t version, bool free_threaded,
			 struct asyncio_layout *ret_layout)
{
	for (size_t i = 0; i < sizeof(asyncio_table) / sizeof(asyncio_table[0]);
	     i++)
		if (asyncio_table[i].version == version >> 8 &&
		    asyncio_table[i].free_threaded == free_threaded) {
			*ret_layout = asyncio_table[i];
			return true;
		}
	return false;
}

/* The waiter stands before the coroutine in every version. */
bool asyncio_layout_apply(struct asyncio_layout *layout,
			  const uint64_t words[ASYNCIO_DEBUG_WORDS])
{
	if (words[TASK_SIZE] > TASK_BYTES_MAX ||
	    words[TASK_NAME] >= words[TASK_SIZE] ||
	    words[TASK_COROUTINE] >= words[TASK_SIZE] ||
	    words[TASK_COROUTINE] < 16 ||
	    words[TASK_NODE] >= words[TASK_SIZE] || !words[TASK_NODE] ||
	    words[INTERPRETER_SIZE] > STATE_BYTES_MAX ||
	    words[INTERPRETER_HEAD] >= words[INTERPRETER_SIZE] ||
	    words[THREAD_SIZE] > STATE_BYTES_MAX ||
	    words[THREAD_HEAD] >= words[THREAD_SIZE])
		return false;
	layout->name = (int32_t)words[TASK_NAME];
	layout->coroutine = (int32_t)words[TASK_COROUTINE];
	layout->waiter = layout->coroutine - 8;
	layout->node = words[TASK_NODE];
	layout->interpreter_head = words[INTERPRETER_HEAD];
	layout->thread_head = words[THREAD_HEAD];
	return true;
}
