#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "landfall/zone.h"

/* The entries of one directory, sorted: sources and dates, never files. */
struct names {
	char **name;
	size_t n, cap;
};

static void
names_release(struct names *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->name[i]);
	free(l->name);
	*l = (struct names){0};
}

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A missing directory is END. */
static enum rc
open_dir(int root, const char *path, DIR **ret, struct err *e)
{
	int fd = -1;

	if (io_open(root, path, O_RDONLY | O_DIRECTORY, 0, &fd, BROKEN, e) !=
		OK)
		return e->cause == ENOENT ? END : e->code;
	*ret = fdopendir(fd);
	if (*ret == NULL) {
		err_sys(e, BROKEN, errno, "list %s", path);
		io_drop(&fd);
		return e->code;
	}
	return OK;
}

/* The next entry; END after the last. */
static enum rc
next_entry(DIR *d, const char *path, struct dirent **ret, struct err *e)
{
	errno = 0;
	*ret = readdir(d);
	if (*ret != NULL)
		return OK;
	return errno != 0 ? err_sys(e, BROKEN, errno, "list %s", path) : END;
}

static bool
has_type(DIR *d, const struct dirent *entry, mode_t type, int flags)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK)
		return entry->d_type == IFTODT(type);
	return fstatat(dirfd(d), entry->d_name, &st, flags) == 0 &&
		(st.st_mode & S_IFMT) == type;
}

/* Our own directories and whatever hides are not sources. */
static bool
is_source(const char *name)
{
	return name[0] != '_' && name[0] != '.';
}

static bool
is_date(const char *name)
{
	static const char like[] = "dt=####-##-##";

	if (strlen(name) != sizeof(like) - 1)
		return false;
	for (size_t i = 0; like[i] != '\0'; i++)
		if (like[i] == '#' ? name[i] < '0' || name[i] > '9'
				   : name[i] != like[i])
			return false;
	return true;
}

static bool
is_landing_file(const char *name)
{
	size_t len = strlen(name);

	return is_source(name) && len > 4 &&
		strcmp(name + len - 4, ".zst") == 0;
}

/* The directories in one that are wanted, sorted; none when it is missing. */
static enum rc
read_names(int root, const char *path, bool (*wanted)(const char *name),
	struct names *l, struct err *e)
{
	struct dirent *entry;
	DIR *d;
	enum rc rc = open_dir(root, path, &d, e);

	if (rc != OK)
		return rc == END ? OK : rc;
	while ((rc = next_entry(d, path, &entry, e)) == OK) {
		/* An operator may put a source elsewhere by a link. */
		if (!wanted(entry->d_name) || !has_type(d, entry, S_IFDIR, 0))
			continue;
		if (l->n == l->cap) {
			l->cap = l->cap > 0 ? 2 * l->cap : 64;
			l->name = mem_resize(l->name, l->cap, sizeof(char *));
		}
		l->name[l->n++] = mem_strdup(entry->d_name);
	}
	closedir(d);
	if (rc != END)
		return rc;
	if (l->n > 0)
		qsort(l->name, l->n, sizeof(char *), by_bytes);
	return OK;
}

struct listing {
	int root;
	enum rc (*each)(void *arg, const char *path, struct err *e);
	void *arg;
};

static enum rc
list_files(const struct listing *l, struct str *path, struct err *e)
{
	const size_t len = path->len;
	struct dirent *entry;
	DIR *d;
	enum rc rc = open_dir(l->root, path->s, &d, e);

	if (rc != OK)
		return rc == END ? OK : rc;
	while ((rc = next_entry(d, path->s, &entry, e)) == OK) {
		if (!is_landing_file(entry->d_name) ||
			!has_type(d, entry, S_IFREG, AT_SYMLINK_NOFOLLOW))
			continue;
		str_addf(path, "/%s", entry->d_name);
		rc = l->each(l->arg, path->s, e);
		str_cut(path, len);
		if (rc != OK)
			break;
	}
	closedir(d);
	return rc == END && !entry ? OK : rc;
}

static enum rc
list_source(const struct listing *l, struct str *path, struct err *e)
{
	CLEANUP(names_release) struct names dates = {0};
	const size_t len = path->len;

	if (read_names(l->root, path->s, is_date, &dates, e) != OK)
		return e->code;
	for (size_t i = 0; i < dates.n; i++) {
		enum rc rc;

		str_addf(path, "/%s", dates.name[i]);
		rc = list_files(l, path, e);
		str_cut(path, len);
		if (rc != OK)
			return rc;
	}
	return OK;
}

static enum rc
list_root(const struct listing *l, const char *root, const char *source,
	struct err *e)
{
	CLEANUP(names_release) struct names sources = {0};
	CLEANUP(str_release) struct str path = STR_INIT;

	if (source != NULL) {
		str_addf(&path, "%s%s", root, source);
		return list_source(l, &path, e);
	}
	if (read_names(l->root, *root != '\0' ? root : ".", is_source, &sources,
		    e) != OK)
		return e->code;
	for (size_t i = 0; i < sources.n; i++) {
		enum rc rc;

		str_clear(&path);
		str_addf(&path, "%s%s", root, sources.name[i]);
		rc = list_source(l, &path, e);
		if (rc != OK)
			return rc;
	}
	return OK;
}

enum rc
zone_list(struct zone *z, const char *source,
	enum rc (*each)(void *arg, const char *path, struct err *e), void *arg,
	struct err *e)
{
	const struct listing l = {zone_dir(z), each, arg};
	enum rc rc = list_root(&l, "", source, e);

	if (rc != OK)
		return rc;
	return list_root(&l, FORMAT_QUARANTINE_DIR "/", source, e);
}
