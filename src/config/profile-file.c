/*
 * The file of a profile: found, read, and no source.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "config/profile-read.h"
#include "config/value.h"

/* Only a source may say these. */
static const char *const source_keys[] = {
	"secrets", "allow_plaintext", "ca_file", NULL};

static char *
find_file(const char *name, const char *dir)
{
	const char *shipped = getenv("LANDFALL_PROFILES");
	struct str s = STR_INIT;

	if (shipped == NULL || *shipped == '\0')
		shipped = LANDFALL_PROFILEDIR;
	if (strchr(name, '/') == NULL)
		str_addf(&s, "%s/%s.yaml", shipped, name);
	else if (name[0] == '/')
		str_add(&s, name);
	else
		str_addf(&s, "%s/%s", dir, name);
	return str_take(&s);
}

static bool
no_such_profile(
	struct profile_reading *p, const struct yaml_node *n, const char *file)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	str_add_quoted(&s, file, strlen(file));
	if (strchr(n->text, '/') == NULL)
		str_add(&s,
			"; a profile of your own is named by a path with a "
			"slash");
	return profile_wrong(p, n, "profile: there is no %s", s.s);
}

/* The text of the file, which is somebody's and not a pipe. */
static bool
read_file(struct profile_reading *p, const struct yaml_node *n,
	const char *file, struct str *text)
{
	struct err e = ERR_INIT;
	struct stat st;

	if (stat(file, &st) < 0)
		return no_such_profile(p, n, file);
	if (!S_ISREG(st.st_mode))
		return profile_wrong(
			p, n, "profile: %s is not a regular file", file);
	switch (io_read_file(
		AT_FDCWD, file, YAML_SIZE_MAX, text, BAD_ITEM, &e)) {
	case OK:
		return true;
	case END:
		return no_such_profile(p, n, file);
	default:
		return profile_wrong(p, n, "profile: %s: %s", file,
			e.cause != 0 ? strerror(e.cause) : "larger than 1 MiB");
	}
}

static bool
is_one_of(const char *text, const char *const *names)
{
	unsigned ignored;

	return value_choice(text, names, &ignored);
}

static bool
check_profile_root(struct profile_reading *p, const struct yaml_node *root)
{
	const struct yaml_node *version = yaml_get(root, "version");
	bool right = true;

	if (root->kind != YAML_MAPPING)
		return profile_wrong(p, root,
			"a profile is a mapping, this is %s", yaml_what(root));
	if (version == NULL || version->kind != YAML_SCALAR ||
		strcmp(version->text, "1") != 0)
		right = profile_wrong(p, version != NULL ? version : root,
			"version: expected 1, the version of the language");
	for (const struct yaml_node *v = root->first; v != NULL; v = v->next)
		if (v->key->kind == YAML_SCALAR &&
			is_one_of(v->key->text, source_keys))
			right = profile_wrong(p, v->key,
				"%s: is for the source to say, not for its "
				"profile",
				v->key->text);
	return right;
}

bool
profile_load(struct profile_reading *p, const struct yaml_node *n,
	struct yaml *y, char **ret_file)
{
	CLEANUP(str_release) struct str text = STR_INIT;
	const char *before = p->report->file;
	bool right;

	if (!profile_is_text(n) || n->len == 0)
		return profile_wrong(p, n,
			"profile: expected a name, or a path with a slash");
	*ret_file = find_file(n->text, p->dir);
	if (!read_file(p, n, *ret_file, &text))
		return false;
	p->report->file = *ret_file;
	right = yaml_parse(y, text.s, text.len, p->report);
	if (right && y->root == NULL) {
		report_add(p->report, 1, 1, "the profile is empty");
		right = false;
	}
	p->report->file = before;
	return right && check_profile_root(p, y->root);
}
