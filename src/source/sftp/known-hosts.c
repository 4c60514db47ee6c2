#include "source/sftp/known-hosts.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "source/sftp/host-key.h"

#define SHA1_LEN 20
#define TYPES_MAX 16
#define OTHERS_MAX 8

/* Part of a line: where it begins, how long it is. */
struct word {
	const char *s;
	size_t n;
};

enum marker {
	MARKER_NONE,
	MARKER_REVOKED,
	MARKER_AUTHORITY,
};

struct entry {
	enum marker marker;
	unsigned line;
	struct word type;
	uint8_t blob[HOST_KEY_MAX];
	size_t len;
};

struct walk {
	const char *at, *end;
	unsigned line;
	char name[300]; /* what lines are compared with, in lower case */
	size_t name_len;
	unsigned malformed, malformed_at;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool
word_is(const struct word *w, const char *text)
{
	return w->n == strlen(text) && memcmp(w->s, text, w->n) == 0;
}

/* The next word of the line; n is 0 at its end. */
static struct word
next_word(struct word *rest)
{
	struct word w;

	while (rest->n > 0 && is_blank(*rest->s))
		rest->s++, rest->n--;
	w = (struct word){rest->s, 0};
	while (rest->n > 0 && !is_blank(*rest->s))
		rest->s++, rest->n--, w.n++;
	return w;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/*
 * "*" and "?"; brackets are bytes like others. The last star alone is tried
 * again, so that the work is at most pattern times name.
 */
static bool
fits(struct word p, const char *name, size_t n)
{
	size_t i = 0, k = 0, star = SIZE_MAX, mark = 0;

	while (k < n) {
		if (i < p.n && p.s[i] == '*') {
			star = i++;
			mark = k;
		} else if (i < p.n &&
			(p.s[i] == '?' || lower(p.s[i]) == name[k])) {
			i++;
			k++;
		} else if (star != SIZE_MAX) {
			i = star + 1;
			k = ++mark;
		} else {
			return false;
		}
	}
	while (i < p.n && p.s[i] == '*')
		i++;
	return i == p.n;
}

/* |1|base64(salt)|base64(HMAC-SHA1(salt, name)) */
static bool
fits_hash(struct word hosts, const struct walk *w)
{
	uint8_t salt[SHA1_LEN + 3], sum[SHA1_LEN + 3], ours[EVP_MAX_MD_SIZE];
	const char *bar;
	unsigned ours_len = 0;
	size_t salt_len, sum_len;

	if (hosts.n < 3 || memcmp(hosts.s, "|1|", 3) != 0)
		return false;
	hosts.s += 3;
	hosts.n -= 3;
	bar = memchr(hosts.s, '|', hosts.n);
	if (bar == NULL ||
		!str_parse_base64(hosts.s, (size_t)(bar - hosts.s), salt,
			sizeof(salt), &salt_len) ||
		!str_parse_base64(bar + 1,
			hosts.n - (size_t)(bar + 1 - hosts.s), sum, sizeof(sum),
			&sum_len) ||
		salt_len != SHA1_LEN || sum_len != SHA1_LEN)
		return false;
	if (HMAC(EVP_sha1(), salt, SHA1_LEN, (const uint8_t *)w->name,
		    w->name_len, ours, &ours_len) == NULL ||
		ours_len != SHA1_LEN)
		return false;
	return memcmp(ours, sum, SHA1_LEN) == 0;
}

static bool
fits_hosts(struct word hosts, const struct walk *w)
{
	bool found = false;

	if (hosts.n > 0 && hosts.s[0] == '|')
		return fits_hash(hosts, w);
	while (hosts.n > 0) {
		const char *comma = memchr(hosts.s, ',', hosts.n);
		size_t n = comma != NULL ? (size_t)(comma - hosts.s) : hosts.n;
		struct word one = {hosts.s, n};
		bool negated = n > 0 && *one.s == '!';

		if (negated)
			one.s++, one.n--;
		if (one.n > 0 && fits(one, w->name, w->name_len)) {
			if (negated)
				return false;
			found = true;
		}
		n += comma != NULL;
		hosts.s += n;
		hosts.n -= n;
	}
	return found;
}

/* Reads the key behind the hosts; false: the line is malformed. */
static bool
read_key(struct word *rest, struct entry *t)
{
	struct word type = next_word(rest), key = next_word(rest), inner;

	if (type.n == 0 || key.n == 0 ||
		!str_parse_base64(
			key.s, key.n, t->blob, sizeof(t->blob), &t->len) ||
		!host_key_type(t->blob, t->len, &inner.s, &inner.n))
		return false;
	/* A line that says one type and holds another is a forgery or a slip.
	 */
	if (inner.n != type.n || memcmp(inner.s, type.s, type.n) != 0)
		return false;
	t->type = type;
	return true;
}

enum line {
	LINE_OTHER, /* a comment, or of another server */
	LINE_ENTRY,
	LINE_MALFORMED,
};

static enum line
read_line(const struct walk *w, struct word rest, struct entry *t)
{
	struct word first;

	if (rest.n > KNOWN_HOSTS_LINE_MAX)
		return LINE_MALFORMED;
	first = next_word(&rest);
	if (first.n == 0 || first.s[0] == '#')
		return LINE_OTHER;
	t->line = w->line;
	t->marker = MARKER_NONE;
	if (first.s[0] == '@') {
		if (word_is(&first, "@revoked"))
			t->marker = MARKER_REVOKED;
		else if (word_is(&first, "@cert-authority"))
			t->marker = MARKER_AUTHORITY;
		else
			return LINE_MALFORMED;
		first = next_word(&rest);
	}
	if (!fits_hosts(first, w))
		return LINE_OTHER;
	return read_key(&rest, t) ? LINE_ENTRY : LINE_MALFORMED;
}

static void
walk_init(struct walk *w, const struct known_hosts *k)
{
	CLEANUP(str_release) struct str name = STR_INIT;

	*w = (struct walk){.at = k->text, .end = k->text + k->len};
	if (k->port == 22)
		str_add(&name, k->host);
	else
		str_addf(&name, "[%s]:%u", k->host, k->port);
	/* No name is longer than 255 (RFC 1035); one that is matches nothing.
	 */
	if (name.len >= sizeof(w->name))
		w->at = w->end;
	else
		w->name_len = name.len;
	for (size_t i = 0; i < w->name_len; i++)
		w->name[i] = lower(name.s[i]);
}

/* The next line that is about this server. */
static bool
walk_next(struct walk *w, struct entry *t)
{
	while (w->at < w->end) {
		size_t left = (size_t)(w->end - w->at);
		const char *eol = memchr(w->at, '\n', left);
		struct word line = {
			w->at, eol != NULL ? (size_t)(eol - w->at) : left};

		w->line++;
		w->at += line.n + (eol != NULL);
		switch (read_line(w, line, t)) {
		case LINE_ENTRY:
			return true;
		case LINE_MALFORMED:
			if (w->malformed++ == 0)
				w->malformed_at = w->line;
			break;
		case LINE_OTHER:
			break;
		}
	}
	return false;
}

static void
add_other(struct known_answer *a, const struct entry *t, unsigned n)
{
	if (n > OTHERS_MAX)
		return;
	if (n > 1)
		str_add(&a->others, ", ");
	if (n == OTHERS_MAX) {
		str_add(&a->others, "...");
		return;
	}
	host_key_add_fingerprint(&a->others, t->blob, t->len);
	str_addf(&a->others, " (%.*s, line %u)", (int)t->type.n, t->type.s,
		t->line);
}

void
known_hosts_ask(const struct known_hosts *k, const uint8_t *blob, size_t len,
	struct known_answer *a)
{
	struct entry t;
	struct walk w;
	unsigned others = 0;

	str_clear(&a->others);
	a->verdict = KNOWN_NONE;
	a->line = a->authorities = 0;
	walk_init(&w, k);
	while (walk_next(&w, &t)) {
		bool same = t.len == len && memcmp(t.blob, blob, len) == 0;

		if (t.marker == MARKER_AUTHORITY) {
			a->authorities++;
		} else if (t.marker == MARKER_REVOKED) {
			/* Wherever it stands: revoked beats known. */
			if (same && a->verdict != KNOWN_REVOKED) {
				a->verdict = KNOWN_REVOKED;
				a->line = t.line;
			}
		} else if (!same) {
			add_other(a, &t, ++others);
		} else if (a->verdict == KNOWN_NONE) {
			a->verdict = KNOWN_MATCH;
			a->line = t.line;
		}
	}
	if (a->verdict == KNOWN_NONE && others > 0)
		a->verdict = KNOWN_OTHER;
	a->malformed = w.malformed;
	a->malformed_at = w.malformed_at;
}

static bool
has_type(const struct str *list, struct word type)
{
	for (const char *at = list->s; *at != '\0';) {
		size_t n = strcspn(at, ",");

		if (n == type.n && memcmp(at, type.s, n) == 0)
			return true;
		at += n + (at[n] == ',');
	}
	return false;
}

void
known_hosts_types(const struct known_hosts *k, struct str *ret)
{
	struct entry t;
	struct walk w;
	unsigned n = 0;

	str_clear(ret);
	walk_init(&w, k);
	while (n < TYPES_MAX && walk_next(&w, &t)) {
		if (t.marker != MARKER_NONE || has_type(ret, t.type))
			continue;
		if (n++ > 0)
			str_addc(ret, ',');
		str_addn(ret, t.type.s, t.type.n);
	}
}
