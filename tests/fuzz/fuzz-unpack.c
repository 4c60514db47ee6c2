/*
 * Any bytes as an archive, under a name that the first byte chooses: the walk
 * ends, the judge finds nothing wrong with what it tells, and no limit is
 * passed.
 */
#include <stdlib.h>
#include <string.h>

#include "../unpack/here.h"
#include "fuzz.h"

static const struct unpack_limits limits = {.member_bytes = 1 << 20,
	.total_bytes = 2 << 20,
	.members = 50,
	.ratio = 200,
	.depth = 4,
	.name_len = 300};

static const char *const names[] = {"x.zip", "x.tar", "x.tar.gz", "x.csv.gz",
	"x.tar.bz2", "x.bz2", "x.tar.xz", "x.xz", "x.tar.zst", "x.zst", "x"};

/*
 * The child's limit on memory, as AddressSanitizer can have it: a stream of xz
 * may ask for a window of 4 GiB.
 */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "max_allocation_size_mb=256:allocator_may_return_null=1";
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct here h;

	if (size == 0)
		return 0;
	memset(&h, 0, sizeof(h));
	here_run(data + 1, size - 1, names[data[0] % ARRAY_LEN(names)], &limits,
		&h);
	if (h.end != END && h.end != BAD_ITEM)
		abort();
	if (h.end == BAD_ITEM && h.why.text[0] == '\0')
		abort();
	/* At the beginning: a member may have any name. */
	if (strncmp(h.why.text, "the unpack child", 16) == 0)
		abort();
	if (h.bytes > limits.total_bytes)
		abort();
	if (h.files + h.findings + h.folders + h.archives > limits.members)
		abort();
	return 0;
}
