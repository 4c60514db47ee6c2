#include "daemon/lumber.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

static DIR *
open_dir(int at, const char *name)
{
	int fd = openat(
		at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

	if (d == NULL)
		io_drop(&fd);
	return d;
}

static bool
is_part(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot != NULL &&
		(strcmp(dot, ".part") == 0 || strcmp(dot, ".mark") == 0);
}

static void
clear_source(int spool, const char *name)
{
	DIR *d = open_dir(spool, name);
	struct dirent *entry;

	while (d != NULL && (entry = readdir(d)) != NULL)
		if (is_part(entry->d_name))
			(void)unlinkat(dirfd(d), entry->d_name, 0);
	if (d != NULL)
		closedir(d);
	/* Not empty: then it is not ours to judge. */
	(void)unlinkat(spool, name, AT_REMOVEDIR);
}

void
lumber_clear(int spool, const struct config *c)
{
	DIR *d = open_dir(spool, ".");
	struct dirent *entry;

	while (d != NULL && (entry = readdir(d)) != NULL) {
		const struct source_config *s = config_source(c, entry->d_name);

		if (entry->d_name[0] != '.' &&
			(s == NULL || s->kind != SOURCE_SFTP))
			clear_source(spool, entry->d_name);
	}
	if (d != NULL)
		closedir(d);
}
