/*
 * Places: files and folders of ours, of a source, the ledger's name.
 */
#include "config/field-read.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/value.h"

/*
 * The directory and the path without "." and doubled slashes. ".." may only
 * lead: behind a name that is a symbolic link it would mean something else
 * to the kernel than to a reader.
 */
static const char *
join_path(const char *dir, const char *text, struct str *ret)
{
	bool named = text[0] == '/';

	/* Legal for the kernel; here it is a slip, such as a line end. */
	for (const char *c = text; *c != '\0'; c++)
		if ((uint8_t)*c < ' ' || *c == 0x7f)
			return "holds a control character";
	if (text[0] == '~' && (text[1] == '/' || text[1] == '\0'))
		return "begins with ~, which stands for nothing here: write "
		       "the whole path";
	if (!named)
		str_add(ret, strcmp(dir, "/") == 0 ? "" : dir);
	for (const char *end; *text != '\0'; text = end) {
		text += strspn(text, "/");
		end = text + strcspn(text, "/");
		if (end == text || (end - text == 1 && text[0] == '.'))
			continue;
		if (end - text == 2 && memcmp(text, "..", 2) == 0) {
			const char *slash = strrchr(ret->s, '/');

			if (named)
				return "has \"..\" behind a name: write the "
				       "path without it";
			if (slash != NULL)
				str_cut(ret, (size_t)(slash - ret->s));
			continue;
		}
		named = true;
		str_addc(ret, '/');
		str_addn(ret, text, (size_t)(end - text));
	}
	if (ret->len == 0)
		str_add(ret, "/");
	return ret->len < PATH_MAX ? NULL : "is too long for a path";
}

bool
field_read_path(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	const char *why;
	char **at = field;

	if (n->len == 0)
		return field_expected(o, c, n);
	why = join_path(c->dir, n->text, &path);
	if (why != NULL)
		return field_wrong(o, c, n, why);
	free(*at);
	*at = str_take(&path);
	return true;
}

/* C2SP tlog-checkpoint and signed-note: no spaces, no plus, no newline. */
bool
field_read_origin(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	char **at = field;

	if (n->len == 0 || n->len > o->max)
		return field_wrong(o, c, n, "must have 1 to 255 bytes");
	for (size_t i = 0; i < n->len; i++)
		if (n->text[i] <= ' ' || n->text[i] == '+' ||
			n->text[i] == 0x7f)
			return field_wrong(o, c, n,
				"must be printable ASCII without spaces "
				"and '+'");
	if (strstr(n->text, "://") != NULL)
		return field_wrong(
			o, c, n, "must be written without its scheme");
	free(*at);
	*at = mem_strdup(n->text);
	return true;
}

/* "processed/" as "processed"; NULL: not a folder below the root. */
static char *
folder_of(const char *text)
{
	struct str s = STR_INIT;

	if (*text == '/')
		return NULL;
	while (*text != '\0') {
		size_t len = strcspn(text, "/");

		if (len == 2 && memcmp(text, "..", 2) == 0) {
			str_release(&s);
			return NULL;
		}
		if (len > 0 && !(len == 1 && *text == '.')) {
			if (s.len > 0)
				str_addc(&s, '/');
			str_addn(&s, text, len);
		}
		text += len + (text[len] == '/');
	}
	return s.len > 0 ? str_take(&s) : NULL;
}

bool
field_read_after(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	static const char *const words[] = {
		[AFTER_KEEP] = "keep", [AFTER_DELETE] = "delete", NULL};
	struct source_config *s =
		(void *)((char *)field - offsetof(struct source_config, after));
	const struct yaml_node *move = yaml_get(n, "move");
	char *folder = NULL;
	unsigned v = AFTER_MOVE;

	if (n->kind == YAML_SCALAR ? !value_choice(n->text, words, &v)
				   : (move == NULL || n->n != 1))
		return field_expected(o, c, n);
	if (move != NULL) {
		if (move->kind == YAML_WRONG)
			return false;
		if (move->kind != YAML_SCALAR || yaml_is_null(move))
			return field_expected(o, c, move);
		if (strlen(move->text) != move->len)
			return field_wrong(o, c, move, "holds a NUL byte");
		folder = folder_of(move->text);
		if (folder == NULL)
			return field_wrong(o, c, move,
				"is not a folder below the source's root");
	}
	free(s->after.folder);
	s->after.folder = folder;
	s->after.action = (enum after_action)v;
	return true;
}

/* ---- lists of them ---- */

void
field_release_words(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->word[i]);
	free(w->word);
	*w = (struct words){.n = 0};
}

/* A list of texts, none of them with a NUL byte; or NULL where it is not. */
static bool
read_words(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, struct words *ret)
{
	if (n->kind != YAML_SEQUENCE)
		return field_expected(o, c, n);
	*ret = (struct words){.word = mem_array(n->n + 1, sizeof(*ret->word))};
	for (const struct yaml_node *i = n->first; i != NULL; i = i->next) {
		if (i->kind != YAML_SCALAR || strlen(i->text) != i->len) {
			field_release_words(ret);
			return i->kind == YAML_WRONG ? false
						     : field_expected(o, c, i);
		}
		ret->word[ret->n++] = mem_strdup(i->text);
	}
	return true;
}

bool
field_read_command(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	struct words w, *at = field;

	if (!read_words(o, c, n, &w))
		return false;
	if (w.n == 0 || w.word[0][0] != '/') {
		field_release_words(&w);
		return field_expected(o, c, n);
	}
	field_release_words(at);
	*at = w;
	return true;
}

bool
field_read_paths(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	struct words w, *at = field;

	if (!read_words(o, c, n, &w))
		return false;
	for (size_t i = 0; i < w.n; i++) {
		CLEANUP(str_release) struct str path = STR_INIT;
		const char *why = join_path(c->dir, w.word[i], &path);

		if (why != NULL) {
			field_release_words(&w);
			return field_wrong(o, c, n, why);
		}
		free(w.word[i]);
		w.word[i] = str_take(&path);
	}
	field_release_words(at);
	*at = w;
	return true;
}
