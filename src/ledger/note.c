#include "ledger/note.h"

#include <inttypes.h>
#include <string.h>

#define DASH "\xe2\x80\x94 " /* U+2014 and a space */
#define DASH_LEN 4

struct signature {
	const char *name;
	size_t name_len;
	uint8_t raw[LEDGER_NOTE_MAX]; /* key ID, then the signature */
	size_t raw_len;
};

/* The line at *p, which is moved behind it; every line ends in '\n'. */
static const char *
next_line(const char **p, const char *end, size_t *ret_len)
{
	const char *line = *p;
	const char *newline = memchr(line, '\n', (size_t)(end - line));

	if (newline == NULL)
		return NULL;
	*ret_len = (size_t)(newline - line);
	*p = newline + 1;
	return line;
}

static bool
parse_signature(const char *line, size_t n, struct signature *ret)
{
	const char *space;

	if (n < DASH_LEN || memcmp(line, DASH, DASH_LEN) != 0)
		return false;
	line += DASH_LEN;
	n -= DASH_LEN;
	space = memchr(line, ' ', n);
	if (space == NULL)
		return false;
	ret->name = line;
	ret->name_len = (size_t)(space - line);
	return key_is_name(line, ret->name_len) &&
		str_parse_base64(space + 1, n - ret->name_len - 1, ret->raw,
			sizeof(ret->raw), &ret->raw_len) &&
		ret->raw_len > KEY_ID_LEN;
}

enum rc
note_parse(const char *p, size_t n, struct note *ret, struct err *e)
{
	const char *split = NULL, *line, *rest, *end = p + n;
	struct signature sig;
	unsigned count = 0;
	size_t len;

	if (n > LEDGER_NOTE_MAX)
		return err_set(e, BAD_ITEM, "note: larger than %d bytes",
			LEDGER_NOTE_MAX);
	if (!str_is_utf8(p, n))
		return err_set(e, BAD_ITEM, "note: not UTF-8");
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)p[i] < ' ' && p[i] != '\n')
			return err_set(e, BAD_ITEM,
				"note: control character at byte %zu", i);
	for (size_t i = 1; i < n; i++)
		if (p[i] == '\n' && p[i - 1] == '\n')
			split = p + i;
	if (split == NULL)
		return err_set(e, BAD_ITEM,
			"note: no empty line between text and signatures");
	for (rest = split + 1; rest < end; count++) {
		line = next_line(&rest, end, &len);
		if (line == NULL || !parse_signature(line, len, &sig))
			return err_set(e, BAD_ITEM,
				"note: signature line %u is malformed",
				count + 1);
		if (count == NOTE_SIGNATURES_MAX)
			return err_set(e, BAD_ITEM,
				"note: more than %d signatures",
				NOTE_SIGNATURES_MAX);
	}
	if (count == 0)
		return err_set(e, BAD_ITEM, "note: no signature");
	ret->text = p;
	ret->text_len = (size_t)(split - p);
	ret->signatures = split + 1;
	ret->signatures_len = (size_t)(end - split) - 1;
	return OK;
}

enum rc
note_verify(const struct note *note, const struct key *k, struct err *e)
{
	const char *rest = note->signatures, *line;
	const char *end = rest + note->signatures_len;
	struct signature sig;
	bool known = false;
	size_t len;

	while ((line = next_line(&rest, end, &len)) != NULL) {
		if (!parse_signature(line, len, &sig) ||
			sig.name_len != strlen(k->name) ||
			memcmp(sig.name, k->name, sig.name_len) != 0 ||
			memcmp(sig.raw, k->id, KEY_ID_LEN) != 0)
			continue;
		if (!key_verify(k, note->text, note->text_len,
			    sig.raw + KEY_ID_LEN, sig.raw_len - KEY_ID_LEN))
			return err_set(e, BAD_ITEM,
				"the signature by %s is wrong", k->name);
		known = true;
	}
	if (!known)
		return err_set(e, BAD_ITEM,
			"no signature by %s with the expected key", k->name);
	return OK;
}

enum rc
note_checkpoint(const struct note *note, struct checkpoint *ret, struct err *e)
{
	const char *rest = note->text, *end = rest + note->text_len;
	const char *origin, *size, *root;
	size_t origin_len, size_len, root_len, len;

	origin = next_line(&rest, end, &origin_len);
	if (origin == NULL || origin_len == 0 || origin_len > LEDGER_ORIGIN_MAX)
		return err_set(e, BAD_ITEM, "checkpoint: bad origin line");
	size = next_line(&rest, end, &size_len);
	if (size == NULL || !str_parse_u64(size, size_len, &ret->size) ||
		(size[0] == '0' && size_len > 1))
		return err_set(e, BAD_ITEM, "checkpoint: bad size line");
	root = next_line(&rest, end, &root_len);
	if (root == NULL ||
		!str_parse_base64(
			root, root_len, ret->root, sizeof(ret->root), &len) ||
		len != sizeof(ret->root))
		return err_set(e, BAD_ITEM, "checkpoint: bad root line");
	while (next_line(&rest, end, &len) != NULL)
		if (len == 0)
			return err_set(e, BAD_ITEM,
				"checkpoint: empty extension line");
	memcpy(ret->origin, origin, origin_len);
	ret->origin[origin_len] = '\0';
	return OK;
}

void
note_add_checkpoint(
	struct str *s, const struct checkpoint *c, const struct key *k)
{
	uint8_t raw[KEY_ID_LEN + KEY_SIGNATURE_LEN];
	size_t start = s->len;

	str_addf(s, "%s\n%" PRIu64 "\n", c->origin, c->size);
	str_add_base64(s, c->root, sizeof(c->root));
	str_addc(s, '\n');
	memcpy(raw, k->id, KEY_ID_LEN);
	key_sign(k, s->s + start, s->len - start, raw + KEY_ID_LEN);
	str_addf(s, "\n" DASH "%s ", k->name);
	str_add_base64(s, raw, sizeof(raw));
	str_addc(s, '\n');
}
