/*
 * What lies in the zone, against what the ledger names: strangers, and each
 * line of each SHA256SUMS.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "cli/audit-state.h"
#include "cli/place.h"

enum {
	DEPTH_MAX = 16, /* <source>/dt=... needs 3, quarantine 4 */
	LINE_MAX_LEN = 2 * HASH_LEN + 2 + 255 + 1,
	PATH_TEXT_MAX = 4096,
	DOUBTS_MAX = 100000,
	YOUNG = 5, /* seconds in which a commit must have reached the ledger */
};

/*
 * Something no entry names. It may have been landed after the checkpoint was
 * read, so the ledger is asked again at the end.
 */
struct doubt {
	enum finding_kind kind;
	char *path;
};

struct walk {
	struct audit *a;
	struct str path; /* of where we are */
	struct doubt *doubt;
	size_t n, cap;
	struct err *e;
};

static void
add_doubt(struct walk *w, enum finding_kind kind, const char *path)
{
	if (w->n == DOUBTS_MAX) {
		audit_find(w->a, kind, path, NULL, NULL, NULL);
		return;
	}
	if (w->n == w->cap) {
		w->cap = w->cap > 0 ? 2 * w->cap : 64;
		w->doubt = mem_resize(w->doubt, w->cap, sizeof(*w->doubt));
	}
	w->doubt[w->n++] = (struct doubt){kind, mem_strdup(path)};
}

/* ---- SHA256SUMS ---- */

/* "<64 hex>  <name>\n", as GNU sha256sum writes it. */
static bool
parse_line(char *line, uint8_t sum[HASH_LEN], const char **ret_name)
{
	size_t n = strlen(line);
	char *name = line + 2 * HASH_LEN + 2;

	if (n < 2 * HASH_LEN + 4 || line[n - 1] != '\n' || name[-2] != ' ' ||
		name[-1] != ' ')
		return false;
	for (size_t i = 0; i < 2 * HASH_LEN; i++)
		if (strchr("0123456789abcdef", line[i]) == NULL)
			return false;
	line[n - 1] = name[-2] = '\0';
	*ret_name = name;
	return str_parse_hex(line, sum, HASH_LEN) && strchr(name, '/') == NULL;
}

/* The sum of the entry, read again: it is rarely needed. */
static void
find_wrong_sum(
	struct walk *w, const char *path, size_t i, const uint8_t sum[HASH_LEN])
{
	struct err e = ERR_INIT;
	struct entry x;
	bool have = entry_at(&x, w->a->view, known_index(&w->a->known, i),
			    &e) == OK;

	audit_find_sums(w->a, SUMS_WRONG, path, have ? x.file_sha256 : NULL,
		sum, "its line in SHA256SUMS says another sum");
	if (have)
		entry_release(&x);
}

static void
check_line(struct walk *w, const char *name, const uint8_t sum[HASH_LEN])
{
	size_t dir = w->path.len;
	struct known *k = &w->a->known;
	size_t i;

	str_addf(&w->path, "/%s", name);
	if (audit_wants(w->a, w->path.s)) {
		i = known_find(k, w->path.s);
		if (i == KNOWN_NONE)
			add_doubt(w, SUMS_UNLISTED, w->path.s);
		else if (!known_mark(k, i))
			audit_find(w->a, SUMS_WRONG, w->path.s, NULL, NULL,
				"it has more than one line in SHA256SUMS");
		else if (!known_has_sum(k, i, w->path.s, sum))
			find_wrong_sum(w, w->path.s, i, sum);
	}
	str_cut(&w->path, dir);
}

/* The SHA256SUMS of the directory w->path. */
static enum rc
check_sums(struct walk *w, const char *file)
{
	char line[LINE_MAX_LEN + 2];
	uint64_t number = 0;
	int fd = -1;
	FILE *f;
	enum rc rc = place_file(w->a->zone, file, &fd, w->e);

	if (rc != OK) {
		audit_find(w->a, FILE_UNREADABLE, file, NULL, NULL, "%s",
			rc == END ? "it went away" : w->e->text);
		return OK;
	}
	f = fdopen(fd, "r");
	if (f == NULL) {
		io_drop(&fd);
		return err_sys(w->e, BROKEN, errno, "%s", file);
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		uint8_t sum[HASH_LEN];
		const char *name;

		number++;
		if (parse_line(line, sum, &name)) {
			check_line(w, name, sum);
			continue;
		}
		audit_find(w->a, SUMS_WRONG, file, NULL, NULL,
			"line %" PRIu64 " is not a sum, two spaces and a name "
			"as sha256sum writes them",
			number);
		/* Lines have no meaning behind one that has no end. */
		if (strlen(line) == sizeof(line) - 1)
			break;
	}
	if (ferror(f))
		audit_find(w->a, FILE_UNREADABLE, file, NULL, NULL, "%s",
			strerror(errno));
	fclose(f);
	return OK;
}

/* ---- the walk ---- */

static enum rc walk_dir(struct walk *w, unsigned depth);

/* The zone's own directories, and what filesystems put into their root. */
static bool
is_ours(const char *name)
{
	return name[0] == '.' || strcmp(name, FORMAT_LEDGER_DIR) == 0 ||
		strcmp(name, FORMAT_STAGING_DIR) == 0 ||
		strcmp(name, "lost+found") == 0;
}

static enum rc
visit(struct walk *w, const char *name, mode_t type, unsigned depth)
{
	if (S_ISDIR(type))
		return audit_wants_below(w->a, w->path.s)
			? walk_dir(w, depth + 1)
			: OK;
	if (S_ISREG(type) && strcmp(name, FORMAT_SUMS_NAME) == 0 && depth > 0) {
		CLEANUP(str_release) struct str file = STR_INIT;
		size_t len = w->path.len;

		str_add(&file, w->path.s);
		str_cut(&w->path, len - strlen("/" FORMAT_SUMS_NAME));
		return check_sums(w, file.s);
	}
	if (audit_wants(w->a, w->path.s) &&
		known_find(&w->a->known, w->path.s) == KNOWN_NONE)
		add_doubt(w, FILE_UNLISTED, w->path.s);
	return OK;
}

static enum rc
visit_name(struct walk *w, const char *name, unsigned depth)
{
	size_t len = w->path.len;
	struct stat st;
	enum rc rc = OK;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		(depth == 0 && is_ours(name)))
		return OK;
	str_addf(&w->path, "%s%s", depth > 0 ? "/" : "", name);
	if (w->path.len >= PATH_TEXT_MAX)
		add_doubt(w, FILE_UNLISTED, w->path.s);
	else if (fstatat(w->a->zone, w->path.s, &st, AT_SYMLINK_NOFOLLOW) == 0)
		rc = visit(w, name, st.st_mode, depth);
	str_cut(&w->path, len);
	return rc;
}

static enum rc
walk_dir(struct walk *w, unsigned depth)
{
	const char *path = depth > 0 ? w->path.s : ".";
	struct dirent *entry;
	int fd = -1;
	DIR *d;
	enum rc rc = OK;

	if (depth > DEPTH_MAX) {
		add_doubt(w, FILE_UNLISTED, w->path.s);
		return OK;
	}
	if (io_open(w->a->zone, path, O_RDONLY | O_DIRECTORY, 0, &fd, BROKEN,
		    w->e) != OK) {
		audit_find(w->a, FILE_UNREADABLE, path, NULL, NULL, "%s",
			w->e->text);
		return OK;
	}
	d = fdopendir(fd);
	if (d == NULL) {
		io_drop(&fd);
		return err_sys(w->e, BROKEN, errno, "list %s", path);
	}
	while (rc == OK && (errno = 0, entry = readdir(d)) != NULL)
		rc = visit_name(w, entry->d_name, depth);
	if (rc == OK && errno != 0)
		rc = err_sys(w->e, BROKEN, errno, "list %s", path);
	closedir(d);
	return rc;
}

/* ---- what is left to explain ---- */

static enum rc
add_newer(struct audit *a, struct known *newer, uint64_t *from, struct err *e)
{
	struct ledger_view *v;
	enum rc rc = ledger_view_open(a->zone, a->o->vkey, &v, e);

	if (rc != OK)
		return err_raise(e, BROKEN);
	for (; *from < ledger_view_size(v) && rc == OK; (*from)++) {
		struct entry x;

		rc = entry_at(&x, v, *from, e);
		if (rc != OK)
			break;
		if (entry_has_file(&x))
			known_add(newer, x.file, x.file_sha256, *from);
		entry_release(&x);
	}
	ledger_view_close(v);
	known_seal(newer);
	/* An entry that cannot be read yet explains nothing. */
	return OK;
}

/* It changed so lately that the ledger may still be about to name it. */
static bool
is_young(struct audit *a, const char *path)
{
	struct stat st;

	return fstatat(a->zone, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		(int64_t)st.st_ctim.tv_sec + YOUNG >=
		clock_wall() / CLOCK_SECOND;
}

static enum rc
settle_doubts(struct walk *w)
{
	struct known newer = KNOWN_INIT;
	uint64_t from = w->a->size;
	enum rc rc = OK;

	for (int round = 0; rc == OK && w->n > 0 && round <= YOUNG; round++) {
		size_t left = 0;
		bool young = false;

		rc = add_newer(w->a, &newer, &from, w->e);
		for (size_t i = 0; i < w->n; i++) {
			struct doubt d = w->doubt[i];

			if (known_find(&newer, d.path) != KNOWN_NONE) {
				free(d.path);
				continue;
			}
			young |= is_young(w->a, d.path);
			w->doubt[left++] = d;
		}
		w->n = left;
		if (!young)
			break;
		clock_sleep(CLOCK_SECOND);
	}
	known_release(&newer);
	for (size_t i = 0; i < w->n; i++) {
		struct doubt *d = &w->doubt[i];

		/* It may be what an entry names that cannot be read. */
		if (w->a->bad_entries == 0)
			audit_find(w->a, d->kind, d->path, NULL, NULL, NULL);
		free(d->path);
	}
	free(w->doubt);
	return rc;
}

/* Entries whose file no SHA256SUMS has. */
static void
find_missing_sums(struct audit *a)
{
	for (size_t i = 0; i < a->known.n; i++) {
		struct err e = ERR_INIT;
		struct entry x;

		if (known_is_marked(&a->known, i) ||
			entry_at(&x, a->view, known_index(&a->known, i), &e) !=
				OK)
			continue;
		audit_find_sums(
			a, SUMS_MISSING, x.file, x.file_sha256, NULL, NULL);
		entry_release(&x);
	}
}

enum rc
audit_zone(struct audit *a, struct err *e)
{
	struct walk w = {.a = a, .path = STR_INIT, .e = e};
	enum rc rc = walk_dir(&w, 0), settled;

	settled = settle_doubts(&w);
	if (rc == OK)
		rc = settled;
	str_release(&w.path);
	if (rc == OK)
		find_missing_sums(a);
	return rc;
}
