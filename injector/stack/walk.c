/* SPDX-License-Identifier: MIT */
#include "injector/stack/walk.h"

#include <stdlib.h>
#include <string.h>

#include "injector/deadline.h"

#define AT(field) ((uint64_t)(int64_t)python->offsets.field)

/* FRAME_OWNED_BY_CSTACK (3.12, 3.13), _INTERPRETER (3.14+) and above: the
 * frame that an eval loop puts below those of its Python functions. */
#define OWNED_BY_LOOP 3
#define FRAME_BYTES_MAX 512
#define INSTRUCTION_MAX (1 << 28)
#define WALKS_AGREED 4 /* with the one before */
#define WALKS_MAX 40
#define PREPARED_FRAMES 256 /* of each thread */
#define SHIMS_MAX 64	    /* in a row; there is never more than one */

int walker_init(struct walker *walker, struct codes *codes, size_t frames_max,
		struct error *err)
{
	memset(walker, 0, sizeof(*walker));
	walker->codes = codes;
	walker->room = frames_max;
	for (int i = 0; i < 2; i++) {
		walker->buffer[i] =
			calloc(frames_max, sizeof(*walker->buffer[i]));
		if (!walker->buffer[i]) {
			walker_release(walker);
			return error_set(err, ERROR_NO_MEMORY, "frames");
		}
	}
	return 0;
}

void walker_release(struct walker *walker)
{
	if (!walker)
		return;
	free(walker->buffer[0]);
	free(walker->buffer[1]);
	memset(walker, 0, sizeof(*walker));
}

static uint64_t word_at(const uint8_t *bytes, int32_t offset)
{
	uint64_t value;

	memcpy(&value, bytes + offset, sizeof(value));
	return value;
}

/* Free-threaded builds may run a copy of the code that is the thread's own:
 * _PyCodeArray, a count and then the copies. */
static uint64_t code_start(const struct python *python, const uint8_t *bytes,
			   const struct code *code)
{
	int32_t index = 0;
	uint64_t copies, copy;

	if (python->offsets.f_tlbc_index < 0 || python->offsets.co_tlbc < 0)
		return code->start;
	memcpy(&index, bytes + python->offsets.f_tlbc_index, sizeof(index));
	copies = remote_pointer(python->remote, code->address + AT(co_tlbc));
	if (index <= 0 || !copies ||
	    (uint64_t)index >= remote_pointer(python->remote, copies))
		return code->start;
	copy = remote_pointer(python->remote, copies + 8 + (uint64_t)index * 8);
	return copy ? copy : code->start;
}

static bool read_instruction(const struct python *python, const uint8_t *bytes,
			     const struct code *code, int *ret_instruction)
{
	int64_t at;
	int32_t index;

	if (python_minor(python) >= 11) {
		at = (int64_t)(word_at(bytes, python->offsets.f_instr) -
			       code_start(python, bytes, code));
	} else {
		memcpy(&index, bytes + python->offsets.f_instr, sizeof(index));
		/* 3.10 counts instructions, of two bytes each. */
		at = python_minor(python) == 10 && index > 0
			     ? (int64_t)index * 2
			     : index;
	}
	if (at < -64 || at > INSTRUCTION_MAX)
		return false;
	*ret_instruction = (int)at;
	return true;
}

/* A walk under way. */
struct step {
	const struct python *python;
	struct python_frames *frames;
	size_t room;
	uint64_t at;	 /* the frame to be read */
	uint64_t cframe; /* 3.11: of the loop that runs it */
	unsigned shims;
	uint64_t mark; /* a frame passed; meeting it again is a circle */
	size_t steps, next_mark;
};

static uint64_t first_frame(const struct python *python, uint64_t state,
			    uint64_t *ret_cframe)
{
	struct remote *remote = python->remote;

	*ret_cframe = 0;
	if (python->offsets.ts_frame >= 0)
		return remote_pointer(remote, state + AT(ts_frame));
	*ret_cframe = remote_pointer(remote, state + AT(ts_cframe));
	return *ret_cframe ? remote_pointer(remote, *ret_cframe + AT(cf_frame))
			   : 0;
}

/* 3.12 and later: below the frames of a loop lies one of its own, in its C
 * frame. 3.15 has a second one at the very end of a thread's stack, which
 * lies elsewhere: the first counts. */
static bool pass_shim(struct step *step)
{
	struct python_frames *frames = step->frames;

	if (frames->count) {
		struct python_frame *last = &frames->list[frames->count - 1];

		last->entry = true;
		if (!last->anchor)
			last->anchor = step->at;
	}
	return step->shims++ < SHIMS_MAX;
}

/* Where the loop of an entry frame begins. Before 3.11 every frame has one. */
static void mark_entry(struct step *step, const uint8_t *bytes,
		       struct python_frame *frame)
{
	const struct python *python = step->python;

	if (python_minor(python) < 11) {
		frame->entry = true;
	} else if (python->offsets.f_is_entry >= 0 &&
		   bytes[python->offsets.f_is_entry]) {
		frame->entry = true;
		frame->anchor = step->cframe;
		step->cframe = remote_pointer(python->remote,
					      step->cframe + AT(cf_previous));
	}
}

/* What the bytes of a frame say of it alone. */
static bool read_frame(struct codes *codes, uint64_t address,
		       const uint8_t *bytes, struct python_frame *frame)
{
	const struct python *python = codes->python;
	const struct python_offsets *at = &python->offsets;

	*frame = (struct python_frame){ .address = address };
	frame->code = codes_get(
		codes, object_untag(python, word_at(bytes, at->f_code)));
	if (!frame->code ||
	    !read_instruction(python, bytes, frame->code, &frame->instruction))
		return false;
	frame->owner = at->f_owner >= 0 ? bytes[at->f_owner] : 0;
	frame->globals = word_at(bytes, at->f_globals);
	frame->slots = address + AT(f_locals_plus);
	return true;
}

bool walk_frame(struct codes *codes, uint64_t address,
		struct python_frame *ret_frame)
{
	const struct python *python = codes->python;
	uint8_t bytes[FRAME_BYTES_MAX];
	size_t size = (size_t)python->offsets.f_locals_plus;

	return size <= sizeof(bytes) && remote_plausible(address) &&
	       remote_read(python->remote, address, bytes, size) &&
	       read_frame(codes, address, bytes, ret_frame);
}

static bool add_frame(struct walker *walker, struct step *step,
		      const uint8_t *bytes)
{
	struct python_frames *frames = step->frames;
	struct python_frame frame;

	if (frames->count == step->room) {
		frames->truncated = true;
		return true;
	}
	if (!read_frame(walker->codes, step->at, bytes, &frame))
		return false;
	mark_entry(step, bytes, &frame);
	frames->list[frames->count++] = frame;
	step->shims = 0;
	return true;
}

static bool is_cached(const struct python *python, uint64_t address)
{
	const struct remote *remote = python->remote;
	uint64_t end = address + AT(f_locals_plus);

	return remote_cached(remote, address) &&
	       (address / REMOTE_PAGE == end / REMOTE_PAGE ||
		remote_cached(remote, end));
}

/* Follows a chain by one frame, and on as long as its pages are there; the
 * frame whose page is not, or 0: its end. */
static uint64_t follow(const struct python *python, uint64_t at, int *left)
{
	do {
		if (!remote_plausible(at) || (*left)-- <= 0)
			return 0;
		at = remote_pointer(python->remote, at + AT(f_previous));
	} while (is_cached(python, at));
	return at;
}

/* 3.11 and 3.12 have one more step to the first frame, to the C stacks. */
static void find_first(const struct python *python, const uint64_t *states,
		       size_t count, uint64_t *at)
{
	uint64_t cframe;

	remote_fetch(python->remote, states, count);
	for (size_t i = 0; python->offsets.ts_frame < 0 && i < count; i++)
		at[i] = remote_pointer(python->remote,
				       states[i] + AT(ts_cframe));
	if (python->offsets.ts_frame < 0)
		remote_fetch(python->remote, at, count);
	for (size_t i = 0; i < count; i++)
		at[i] = states[i] ? first_frame(python, states[i], &cframe) : 0;
}

/* Nothing is concluded from what is met here: a later walk checks it. Each
 * round fetches one page of each thread, or two. */
void walk_prepare(const struct python *python, const uint64_t *states,
		  size_t count)
{
	uint64_t at[WALK_PREPARE_MAX * 2];
	int left[WALK_PREPARE_MAX];
	bool more = true;

	if (count > WALK_PREPARE_MAX)
		count = WALK_PREPARE_MAX;
	find_first(python, states, count, at);
	for (size_t i = 0; i < count; i++)
		left[i] = PREPARED_FRAMES;
	while (more) {
		more = false;
		for (size_t i = 0; i < count; i++)
			at[count + i] = at[i] ? at[i] + AT(f_locals_plus) : 0;
		remote_fetch(python->remote, at, count * 2);
		for (size_t i = 0; i < count; i++) {
			at[i] = follow(python, at[i], &left[i]);
			more |= at[i] != 0;
		}
	}
}

/* Brent's: the mark moves on at powers of two. */
static bool in_circle(struct step *step)
{
	if (step->at == step->mark)
		return true;
	if (++step->steps >= step->next_mark) {
		step->mark = step->at;
		step->next_mark = step->steps * 2;
	}
	return false;
}

static bool walk_into(struct walker *walker, uint64_t state,
		      struct python_frames *frames)
{
	const struct python *python = walker->codes->python;
	const struct python_offsets *at = &python->offsets;
	struct step step = { .python = python,
			     .frames = frames,
			     .room = walker->room };
	uint8_t copy[FRAME_BYTES_MAX];
	const uint8_t *bytes;
	size_t size = (size_t)at->f_locals_plus;

	frames->count = 0;
	frames->truncated = false;
	if (size > sizeof(copy))
		return false;
	step.at = first_frame(python, state, &step.cframe);
	while (step.at && !frames->truncated) {
		bool sound;

		if (!remote_plausible(step.at) || in_circle(&step))
			return false;
		bytes = remote_view(python->remote, step.at, copy, size);
		if (!bytes)
			return false;
		if (python_minor(python) >= 12 &&
		    bytes[at->f_owner] >= OWNED_BY_LOOP)
			sound = pass_shim(&step);
		else
			sound = add_frame(walker, &step, bytes);
		if (!sound)
			return false;
		step.at = word_at(bytes, at->f_previous);
	}
	return true;
}

bool walk_once(struct walker *walker, uint64_t state,
	       struct python_frames *ret_frames)
{
	ret_frames->list = walker->buffer[0];
	return walk_into(walker, state, ret_frames);
}

/* The innermost frame may have gone on by an instruction: that is no other
 * stack. */
static bool agree(const struct python_frames *left,
		  const struct python_frames *right)
{
	if (left->count != right->count || left->truncated != right->truncated)
		return false;
	for (size_t i = 0; i < left->count; i++) {
		const struct python_frame *a = &left->list[i];
		const struct python_frame *b = &right->list[i];

		if (a->address != b->address || a->code != b->code ||
		    a->anchor != b->anchor ||
		    (i > 0 && a->instruction != b->instruction))
			return false;
	}
	return true;
}

/* Walks that take equally long can meet a thread that loops at the same wrong
 * moments: the times in between differ. */
static void wait_a_little(unsigned round)
{
	uint64_t end = monotonic_ns() + round * 37u % 11u * 300u;

	while (monotonic_ns() < end)
		continue;
}

bool walk_stable(struct walker *walker, uint64_t state,
		 struct python_frames *ret_frames)
{
	struct python_frames frames[2] = {
		{ .list = walker->buffer[0] },
		{ .list = walker->buffer[1] },
	};
	struct remote *remote = walker->codes->python->remote;
	bool sound[2] = { false, false };
	unsigned now = 0, agreed = 0;

	*ret_frames = frames[0];
	for (unsigned i = 0; i < WALKS_MAX; i++, now = !now) {
		wait_a_little(i);
		remote_forget(remote);
		sound[now] = walk_into(walker, state, &frames[now]);
		if (sound[now])
			*ret_frames = frames[now];
		if (sound[0] && sound[1] && agree(&frames[0], &frames[1]))
			agreed++;
		else
			agreed = 0;
		if (agreed == WALKS_AGREED)
			return true;
	}
	return false;
}
