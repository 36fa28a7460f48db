/* SPDX-License-Identifier: MIT */
/* Stacks read from recorded memory: images of real interpreters, one for each
 * version that the machine has, recorded by scripts/fuzz-images into
 * $NOPDB_FUZZ_IMAGES. The input chooses one and overwrites words of it. */
#include <dirent.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/images/reading.h"

#define IMAGES_MAX 32u
#define CHANGES_MAX 64u
#define CHANGE_BYTES 8u /* page: 2, word: 2, how: 1, what: 3 */

struct image {
	struct image_head head;
	struct image_page *pages; /* by address */
};

static struct image images[IMAGES_MAX];
static size_t image_count;

struct change {
	uint64_t *word;
	uint64_t before;
};

static int by_address(const void *left, const void *right)
{
	const struct image_page *a = left, *b = right;

	return a->address < b->address ? -1 : a->address > b->address;
}

static const struct image_page *page_of(const struct image *image,
					uint64_t address)
{
	struct image_page key = { .address = address &
					     ~(uint64_t)(IMAGE_PAGE - 1) };

	return bsearch(&key, image->pages, image->head.pages, sizeof(key),
		       by_address);
}

static size_t from_image(void *arg, uint64_t address, void *buf, size_t size)
{
	const struct image *image = *(struct image **)arg;
	size_t done = 0;

	while (done < size) {
		uint64_t at = address + done;
		size_t offset = at % IMAGE_PAGE, part = IMAGE_PAGE - offset;
		const struct image_page *page = page_of(image, at);

		if (!page)
			break;
		if (part > size - done)
			part = size - done;
		memcpy((uint8_t *)buf + done, page->bytes + offset, part);
		done += part;
	}
	return done;
}

static void load(const char *folder, const char *name)
{
	struct image *image = &images[image_count];
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	fuzz_check(file);
	fuzz_check(fread(&image->head, sizeof(image->head), 1, file) == 1);
	fuzz_check(!memcmp(image->head.magic, IMAGE_MAGIC, 8));
	fuzz_check(image->head.pages && image->head.pages <= IMAGE_PAGES_MAX);
	image->pages = calloc(image->head.pages, sizeof(*image->pages));
	fuzz_check(image->pages);
	fuzz_check(fread(image->pages, sizeof(*image->pages), image->head.pages,
			 file) == image->head.pages);
	fclose(file);
	qsort(image->pages, image->head.pages, sizeof(*image->pages),
	      by_address);
	image_count++;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *folder = getenv("NOPDB_FUZZ_IMAGES");
	struct dirent *entry;
	DIR *list = folder ? opendir(folder) : NULL;

	while (list && (entry = readdir(list)))
		if (strstr(entry->d_name, ".image") && image_count < IMAGES_MAX)
			load(folder, entry->d_name);
	if (list)
		closedir(list);
	if (!image_count) {
		fprintf(stderr, "no image in $NOPDB_FUZZ_IMAGES: run "
				"scripts/fuzz-images\n");
		exit(1);
	}
	return 0;
}

static uint64_t *word_at(struct image *image, unsigned page, unsigned word)
{
	return (uint64_t *)(image->pages[page % image->head.pages].bytes +
			    word % (IMAGE_PAGE / 8) * 8);
}

/* A wild word, one of the image's own, or one that is a little off. */
static uint64_t new_word(struct image *image, const uint8_t *data,
			 uint64_t before)
{
	unsigned what = data[5] | data[6] << 8 | data[7] << 16;

	switch (data[4] % 5) {
	case 0:
		return what;
	case 1:
		return *word_at(image, what, what >> 12);
	case 2:
		return image->pages[what % image->head.pages].address +
		       (what >> 12) * 8 % IMAGE_PAGE;
	case 3:
		return before ^ 1ull << what % 64;
	default:
		return (uint64_t)what << 40 | what;
	}
}

static size_t wreck(struct image *image, const uint8_t *data, size_t size,
		    struct change *changes)
{
	size_t count = 0;

	for (; size >= CHANGE_BYTES && count < CHANGES_MAX;
	     data += CHANGE_BYTES, size -= CHANGE_BYTES) {
		uint64_t *word = word_at(image, data[0] | data[1] << 8,
					 data[2] | data[3] << 8);

		changes[count++] = (struct change){ word, *word };
		*word = new_word(image, data, *word);
	}
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct remote remote;
	static struct image *image;
	struct change changes[CHANGES_MAX];
	struct reading reading;
	size_t count;

	if (!size)
		return 0;
	image = &images[data[0] % image_count];
	count = wreck(image, data + 1, size - 1, changes);
	if (!remote.table &&
	    remote_init_source(&remote, from_image, &image, NULL))
		return 0;
	remote_forget(&remote);
	reading_all(&remote, &image->head, &reading);
	fuzz_check(count ||
		   (reading.threads >= 3 && reading.frames >= 20 &&
		    reading.locals && reading.objects && reading.awaits));
	while (count--)
		*changes[count].word = changes[count].before;
	return 0;
}
