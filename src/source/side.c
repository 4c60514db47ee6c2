#include "landfall/side.h"

#include <string.h>

#include "landfall/source.h"

#define NAME_WORD "{name}"
#define STEM_WORD "{stem}"
#define WORD_LEN (sizeof(NAME_WORD) - 1) /* of both */

/* A pattern around its word; word NULL: there is none, all is `head`. */
struct parts {
	const char *word;
	size_t head;
	const char *tail;
	size_t tail_len;
	bool stem;
};

static struct parts
take_apart(const char *pattern)
{
	struct parts p = {.word = strstr(pattern, NAME_WORD)};

	if (p.word == NULL) {
		p.word = strstr(pattern, STEM_WORD);
		p.stem = p.word != NULL;
	}
	if (p.word == NULL) {
		p.head = strlen(pattern);
		p.tail = "";
		return p;
	}
	p.head = (size_t)(p.word - pattern);
	p.tail = p.word + WORD_LEN;
	p.tail_len = strlen(p.tail);
	return p;
}

bool
side_is_pattern(const char *text, bool shared)
{
	struct parts p = take_apart(text);

	if (strchr(text, '/') != NULL || strcmp(text, ".") == 0 ||
		strcmp(text, "..") == 0)
		return false;
	if (p.word == NULL)
		return shared && *text != '\0';
	return p.head + p.tail_len > 0 && take_apart(p.tail).word == NULL &&
		strstr(text, STEM_WORD) == (p.stem ? p.word : NULL);
}

bool
side_is_shared(const char *pattern)
{
	return take_apart(pattern).word == NULL;
}

static size_t
folder_len(const uint8_t *name, size_t len)
{
	const uint8_t *slash = memrchr(name, '/', len);

	return slash != NULL ? (size_t)(slash + 1 - name) : 0;
}

static size_t
stem_len(const uint8_t *last, size_t len)
{
	const uint8_t *dot = memrchr(last, '.', len);

	return dot != NULL && dot > last ? (size_t)(dot - last) : len;
}

void
side_name(struct str *s, const char *pattern, const uint8_t *name, size_t len)
{
	struct parts p = take_apart(pattern);
	size_t folder = folder_len(name, len);

	str_addn(s, name, folder);
	str_addn(s, pattern, p.head);
	if (p.word == NULL)
		return;
	name += folder;
	len -= folder;
	str_addn(s, name, p.stem ? stem_len(name, len) : len);
	str_add(s, p.tail);
}

enum side
side_base(
	const char *pattern, const uint8_t *name, size_t len, struct str *base)
{
	struct parts p = take_apart(pattern);
	size_t folder = folder_len(name, len), last = len - folder;

	if (last < p.head + p.tail_len + (p.word != NULL) ||
		memcmp(name + folder, pattern, p.head) != 0 ||
		memcmp(name + len - p.tail_len, p.tail, p.tail_len) != 0)
		return SIDE_NONE;
	str_clear(base);
	str_addn(base, name, folder);
	if (p.word == NULL) {
		str_addc(base, '*');
		return last == p.head ? SIDE_OF_ANY : SIDE_NONE;
	}
	str_addn(base, name + folder + p.head, last - p.head - p.tail_len);
	if (!p.stem)
		return SIDE_OF;
	str_add(base, ".*");
	return SIDE_OF_ANY;
}

const char *
side_pattern(const struct source_config *cfg, size_t i)
{
	for (size_t k = 0; k < cfg->ready.n; k++)
		if ((cfg->ready.rule[k].kind == READY_SENTINEL ||
			    cfg->ready.rule[k].kind == READY_CHECKSUM) &&
			i-- == 0)
			return cfg->ready.rule[k].side;
	for (size_t k = 0; k < cfg->totals.n; k++)
		if (cfg->totals.row[k].from == TOTAL_SIDE && i-- == 0)
			return cfg->totals.row[k].pattern;
	return NULL;
}

const struct ready_rule *
side_manifest(const struct source_config *cfg)
{
	for (size_t i = 0; i < cfg->ready.n; i++)
		if (cfg->ready.rule[i].kind == READY_MANIFEST)
			return &cfg->ready.rule[i];
	return NULL;
}

static void
tell(struct str *what, const char *of, const struct str *base)
{
	if (what == NULL)
		return;
	str_clear(what);
	str_addf(what, "%s of ", of);
	str_add_quoted(what, base->s, base->len);
}

enum side
side_of(const struct source_config *cfg, const uint8_t *name, size_t len,
	struct str *base, struct str *what)
{
	static const char *const words[READY_KINDS] = {
		[READY_SENTINEL] = "sentinel",
		[READY_CHECKSUM] = "checksums",
	};
	enum side side = SIDE_NONE;

	for (size_t i = 0; i < cfg->ready.n && side == SIDE_NONE; i++) {
		const struct ready_rule *r = &cfg->ready.rule[i];

		if (words[r->kind] == NULL)
			continue;
		side = side_base(r->side, name, len, base);
		if (side != SIDE_NONE)
			tell(what, words[r->kind], base);
	}
	for (size_t i = 0; i < cfg->totals.n && side == SIDE_NONE; i++) {
		const struct total *t = &cfg->totals.row[i];

		if (t->from != TOTAL_SIDE)
			continue;
		side = side_base(t->pattern, name, len, base);
		if (side != SIDE_NONE)
			tell(what, "control totals", base);
	}
	return side;
}
