/*
 * Landlock, by its system calls: libc has no wrappers, and the kernel headers
 * of a stable distribution are older than the kernels it meets.
 * https://docs.kernel.org/userspace-api/landlock.html
 */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc/sandbox.h"

/* The calls have the same number on every architecture. */
#define CREATE_RULESET 444
#define RESTRICT_SELF 446
#define GET_VERSION 1u /* flag of CREATE_RULESET */

/* What a ruleset speaks about; what it speaks about and no rule allows is
 * refused. Each version of the interface knows more. */
struct ruleset {
	uint64_t fs;
	uint64_t net;	 /* from version 4 */
	uint64_t scoped; /* from version 6 */
};

static const struct {
	int version;
	size_t size;
	struct ruleset all;
} versions[] = {
	/* execute .. make_sym */
	{1, 8, {.fs = (1u << 13) - 1}},
	/* refer: link and rename across directories */
	{2, 8, {.fs = (1u << 14) - 1}},
	/* truncate */
	{3, 8, {.fs = (1u << 15) - 1}},
	/* bind, connect TCP */
	{4, 16, {.fs = (1u << 15) - 1, .net = 3}},
	/* ioctl of devices */
	{5, 16, {.fs = (1u << 16) - 1, .net = 3}},
	/* abstract unix sockets, signals */
	{6, 24, {.fs = (1u << 16) - 1, .net = 3, .scoped = 3}},
};

enum rc
sandbox_landlock(struct err *e)
{
	long version = syscall(CREATE_RULESET, NULL, 0, GET_VERSION);
	size_t i = ARRAY_LEN(versions);
	long fd, rc;

	if (version < 1) {
		err_sys(e, END, version < 0 ? errno : ENOSYS,
			"this kernel has no Landlock");
		return END;
	}
	while (i > 1 && versions[i - 1].version > version)
		i--;
	i--;
	fd = syscall(CREATE_RULESET, &versions[i].all, versions[i].size, 0);
	if (fd < 0)
		return err_sys(e, BROKEN, errno, "sandbox: Landlock ruleset");
	rc = syscall(RESTRICT_SELF, fd, 0);
	if (rc != 0)
		err_sys(e, BROKEN, errno, "sandbox: Landlock");
	close((int)fd);
	return rc == 0 ? OK : BROKEN;
}
