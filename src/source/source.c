#include "landfall/source.h"

#include <fnmatch.h>
#include <string.h>

#include "landfall/side.h"
#include "source/drop/drop.h"
#include "source/sftp/partner.h"

/*
 * Adding a kind of source: a directory here with its operations, the kind in
 * config.h and its keys in the option table, one row below, a scenario that
 * lists, fetches and loses the connection in between.
 */
static const struct source_ops *const ops[] = {
	[SOURCE_DROP] = &drop_ops,
	[SOURCE_SFTP] = &partner_ops,
};

const struct source_ops *
source_ops(enum source_kind kind)
{
	return (size_t)kind < ARRAY_LEN(ops) ? ops[kind] : NULL;
}

static const char *const type_name[] = {
	[ITEM_SYMLINK] = "symlink",
	[ITEM_OTHER] = "fifo, socket or device",
};

/* Bytes of a pattern and a path: no locale, a leading dot is a byte too. */
static bool
fits(const char *glob, const char *path)
{
	/* "/a.csv": in the root and nowhere else. */
	return fnmatch(glob + (*glob == '/'), path, FNM_PATHNAME) == 0;
}

static const char *
last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static bool
matches(const char *glob, const char *path)
{
	return fits(
		glob, strchr(glob, '/') != NULL ? path : last_component(path));
}

/*
 * An ignore pattern without "/" also takes what lies in a folder of such a
 * name. Says which folder, or "" for the name itself; NULL: does not fit.
 */
static const char *
ignores(const char *glob, const char *path, struct str *folder)
{
	const char *at = path, *slash;

	if (matches(glob, path))
		return "";
	if (strchr(glob, '/') != NULL)
		return NULL;
	for (; (slash = strchr(at, '/')) != NULL; at = slash + 1) {
		str_clear(folder);
		str_addn(folder, at, (size_t)(slash - at));
		if (fits(glob, folder->s))
			return folder->s;
	}
	return NULL;
}

static bool
is_in(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 && path[n] == '/';
}

/* Why a name is left alone, whatever kind of file it is; or NULL. */
static const char *
left_alone(const struct source_config *cfg, const struct item *it,
	struct str *s, struct str *path)
{
	CLEANUP(str_release) struct str folder = STR_INIT;

	str_clear(s);
	if (it->type != ITEM_FILE) {
		str_addf(s, "not a regular file (%s)", type_name[it->type]);
		return s->s;
	}
	if (memchr(it->name, '\0', it->name_len) != NULL) {
		str_add(s, "the name contains a NUL byte");
		return s->s;
	}
	str_addn(path, it->name, it->name_len);
	if (cfg->after.action == AFTER_MOVE &&
		is_in(path->s, cfg->after.folder)) {
		str_addf(s, "after: move %s/", cfg->after.folder);
		return s->s;
	}
	for (size_t i = 0; i < cfg->ignore.n; i++) {
		const char *in = ignores(cfg->ignore.glob[i], path->s, &folder);

		if (in == NULL)
			continue;
		str_addf(s, "ignore %s", cfg->ignore.glob[i]);
		if (*in != '\0') {
			str_add(s, " (folder ");
			str_add_quoted(s, in, strlen(in));
			str_addc(s, ')');
		}
		return s->s;
	}
	return NULL;
}

bool
source_is_manifest(const struct source_config *cfg, const struct item *it)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	CLEANUP(str_release) struct str why = STR_INIT;
	const struct ready_rule *rule = side_manifest(cfg);

	return rule != NULL && left_alone(cfg, it, &why, &path) == NULL &&
		matches(rule->side, path.s);
}

/* By its name: where a partner's folders lie in each other is not known. */
static bool
is_receipt(const char *path)
{
	return matches("*.receipt.json", path) ||
		matches("*.receipt-[0-9]*.json", path);
}

const char *
source_rule(const struct source_config *cfg, const struct item *it,
	struct str *s, const char **ret_matched)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	CLEANUP(str_release) struct str base = STR_INIT;
	const struct ready_rule *manifest = side_manifest(cfg);

	if (left_alone(cfg, it, s, &path) != NULL)
		return s->s;
	if (manifest != NULL && matches(manifest->side, path.s)) {
		str_add(s, "manifest");
		return s->s;
	}
	if (cfg->receipt.folder != NULL && is_receipt(path.s)) {
		str_add(s, "a receipt of ours");
		return s->s;
	}
	if (side_of(cfg, it->name, it->name_len, &base, s) != SIDE_NONE)
		return s->s;
	for (size_t i = 0; i < cfg->match.n; i++) {
		if (!matches(cfg->match.glob[i], path.s))
			continue;
		if (ret_matched != NULL)
			*ret_matched = cfg->match.glob[i];
		return NULL;
	}
	if (cfg->match.n > 0) {
		str_add(s, "no match pattern fits");
		return s->s;
	}
	if (ret_matched != NULL)
		*ret_matched = NULL;
	return NULL;
}
