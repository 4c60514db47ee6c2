/*
 * Any bytes as a zip: what its directory is found to be lies within it, in
 * order, and shares no byte.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "unpack/directory.h"

static void
check(const struct directory *d, uint64_t size)
{
	uint64_t at = 0;

	for (size_t i = 0; i < d->n; i++) {
		const struct zip_entry *z = &d->entry[i];

		if (z->begin < at || z->end < z->begin || z->end > size ||
			z->packed > z->end - z->begin ||
			z->name_len > d->bytes.len ||
			z->name > d->bytes.len - z->name_len)
			abort();
		at = z->end;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct unpack_limits limits = {.member_bytes = 1 << 20,
		.total_bytes = 4 << 20,
		.members = 100,
		.ratio = 200};
	static int fd = -1;
	struct input in = {.size = size};
	struct directory d;
	struct err e = ERR_INIT;

	if (fd < 0)
		fd = memfd_create("zip", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) != 0 ||
		pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	in.fd = fd;
	if (directory_read(&in, &limits, &d, &e) == OK) {
		check(&d, size);
		directory_release(&d);
	} else if (e.code != BAD_ITEM || e.text[0] == '\0') {
		abort();
	}
	return 0;
}
