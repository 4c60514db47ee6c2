#include "cli/known.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

#define MARK (UINT64_C(1) << 63)

static uint64_t
path_key(const char *path)
{
	uint8_t sum[HASH_LEN];

	hash_bytes(path, strlen(path), sum);
	return get_le64(sum);
}

static uint64_t
content_key(const char *path, const uint8_t file_sha256[HASH_LEN])
{
	uint8_t sum[HASH_LEN];
	struct hash h;

	hash_init(&h);
	hash_add(&h, file_sha256, HASH_LEN);
	hash_add(&h, path, strlen(path));
	hash_end(&h, sum);
	return get_le64(sum);
}

void
known_release(struct known *k)
{
	free(k->file);
	*k = (struct known)KNOWN_INIT;
}

void
known_add(struct known *k, const char *path,
	const uint8_t file_sha256[HASH_LEN], uint64_t index)
{
	if (k->n == k->cap) {
		k->cap = k->cap > 0 ? k->cap + k->cap / 2 : 1024;
		k->file = mem_resize(k->file, k->cap, sizeof(*k->file));
	}
	k->file[k->n++] = (struct known_file){
		path_key(path), content_key(path, file_sha256), index};
}

static int
by_path(const void *va, const void *vb)
{
	const struct known_file *a = va, *b = vb;

	if (a->path != b->path)
		return a->path < b->path ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

void
known_seal(struct known *k)
{
	if (k->n > 0)
		qsort(k->file, k->n, sizeof(*k->file), by_path);
}

size_t
known_find(const struct known *k, const char *path)
{
	uint64_t key = path_key(path);
	size_t low = 0, high = k->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (k->file[mid].path < key)
			low = mid + 1;
		else
			high = mid;
	}
	return low < k->n && k->file[low].path == key ? low : KNOWN_NONE;
}

bool
known_has_sum(const struct known *k, size_t i, const char *path,
	const uint8_t file_sha256[HASH_LEN])
{
	return k->file[i].content == content_key(path, file_sha256);
}

uint64_t
known_index(const struct known *k, size_t i)
{
	return k->file[i].index & ~MARK;
}

bool
known_mark(struct known *k, size_t i)
{
	if (known_is_marked(k, i))
		return false;
	k->file[i].index |= MARK;
	return true;
}

bool
known_is_marked(const struct known *k, size_t i)
{
	return (k->file[i].index & MARK) != 0;
}
