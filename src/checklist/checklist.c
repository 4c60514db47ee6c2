#include "landfall/checklist.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"

const char *const checklist_column_names[] = {
	[COLUMN_SKIP] = "skip",
	[COLUMN_NAME] = "name",
	[COLUMN_SIZE] = "size",
	[COLUMN_RECORDS] = "records",
	[COLUMN_DIGEST] = "digest",
	NULL,
};

/* Bytes of one line, which shrink from both ends. */
struct span {
	uint8_t *p;
	size_t n;
};

static int
hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t
count_hex(struct span s)
{
	size_t n = 0;

	while (n < s.n && hex_value(s.p[n]) >= 0)
		n++;
	return n;
}

static bool
take_digest(struct check_line *c, struct span s, size_t digits)
{
	if (digits % 2 != 0 || !digest_of_len(digits / 2, &c->kind))
		return false;
	c->has_sum = true;
	c->hex = (const char *)s.p;
	return true;
}

/* What GNU tools escape in a name when the line begins with a backslash. */
static bool
unescape(struct span *s)
{
	size_t to = 0;

	for (size_t i = 0; i < s->n; i++) {
		uint8_t c = s->p[i];

		if (c == '\\') {
			if (++i == s->n)
				return false;
			switch (s->p[i]) {
			case '\\':
				break;
			case 'n':
				c = '\n';
				break;
			case 'r':
				c = '\r';
				break;
			default:
				return false;
			}
		}
		s->p[to++] = c;
	}
	s->n = to;
	return true;
}

static bool
take_name(struct check_line *c, struct span s, bool escaped)
{
	if (escaped && !unescape(&s))
		return false;
	while (s.n > 2 && s.p[0] == '.' && s.p[1] == '/') {
		s.p += 2;
		s.n -= 2;
	}
	if (s.n == 0 || memchr(s.p, '\0', s.n) != NULL)
		return false;
	c->name = s.p;
	c->name_len = s.n;
	return true;
}

/* HEX  NAME, HEX *NAME; with a single space or a tab too. */
static bool
read_gnu(struct check_line *c, struct span s, bool escaped)
{
	size_t n = count_hex(s);

	if (n == s.n || (s.p[n] != ' ' && s.p[n] != '\t') ||
		!take_digest(c, s, n))
		return false;
	n++;
	if (n < s.n && (s.p[n] == ' ' || s.p[n] == '*'))
		n++;
	s.p += n;
	s.n -= n;
	/* What came from a pipe has no name. */
	if (s.n == 1 && s.p[0] == '-')
		return true;
	return take_name(c, s, escaped);
}

static bool
is_tag(const uint8_t *p, size_t n, enum digest_kind *ret)
{
	static const struct {
		const char *tag;
		enum digest_kind kind;
	} tags[] = {
		{"MD5", DIGEST_MD5},
		{"SHA1", DIGEST_SHA1},
		{"SHA-1", DIGEST_SHA1},
		{"SHA256", DIGEST_SHA256},
		{"SHA-256", DIGEST_SHA256},
		{"SHA2-256", DIGEST_SHA256},
		{"SHA512", DIGEST_SHA512},
		{"SHA-512", DIGEST_SHA512},
		{"SHA2-512", DIGEST_SHA512},
	};

	for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
		if (strlen(tags[i].tag) != n ||
			strncasecmp(tags[i].tag, (const char *)p, n) != 0)
			continue;
		*ret = tags[i].kind;
		return true;
	}
	return false;
}

/* SHA256 (NAME) = HEX, SHA256(NAME)= HEX. */
static bool
read_bsd(struct check_line *c, struct span s, bool escaped)
{
	const uint8_t *open = memchr(s.p, '(', s.n);
	enum digest_kind kind;
	struct span name;
	size_t tag, digits = 0, end;

	if (open == NULL)
		return false;
	tag = (size_t)(open - s.p);
	if (tag > 0 && s.p[tag - 1] == ' ')
		tag--;
	if (!is_tag(s.p, tag, &kind))
		return false;
	while (digits < s.n && hex_value(s.p[s.n - 1 - digits]) >= 0)
		digits++;
	end = s.n - digits;
	if (end < 2 || memcmp(s.p + end - 2, "= ", 2) != 0)
		return false;
	end -= 2;
	if (s.p[end - 1] == ' ')
		end--;
	name.p = s.p + (open + 1 - s.p);
	if (s.p + end <= name.p || s.p[end - 1] != ')')
		return false;
	name.n = (size_t)(s.p + end - 1 - name.p);
	s.p += s.n - digits;
	return take_digest(c, s, digits) && c->kind == kind &&
		take_name(c, name, escaped);
}

static bool
read_sum(struct check_line *c, struct span s)
{
	bool escaped = s.p[0] == '\\';

	if (escaped) {
		s.p++;
		s.n--;
	}
	if (s.n == 0)
		return false;
	if (read_gnu(c, s, escaped))
		return true;
	return read_bsd(c, s, escaped);
}

/* One column, without blanks and one pair of quotes around it. */
static struct span
take_column(struct span *s, uint8_t delimiter)
{
	uint8_t *end = memchr(s->p, delimiter, s->n);
	struct span x = {s->p, end != NULL ? (size_t)(end - s->p) : s->n};

	s->n -= x.n + (end != NULL);
	s->p += x.n + (end != NULL);
	while (x.n > 0 && (*x.p == ' ' || *x.p == '\t'))
		x.p++, x.n--;
	while (x.n > 0 && (x.p[x.n - 1] == ' ' || x.p[x.n - 1] == '\t'))
		x.n--;
	if (x.n >= 2 && x.p[0] == '"' && x.p[x.n - 1] == '"')
		x = (struct span){x.p + 1, x.n - 2};
	return x;
}

static bool
read_column(struct check_line *c, enum checklist_column column, struct span s)
{
	switch (column) {
	case COLUMN_NAME:
		return take_name(c, s, false);
	case COLUMN_SIZE:
		c->has_size = true;
		return str_parse_u64((const char *)s.p, s.n, &c->size);
	case COLUMN_RECORDS:
		c->has_records = true;
		return str_parse_u64((const char *)s.p, s.n, &c->records);
	case COLUMN_DIGEST:
		return count_hex(s) == s.n && take_digest(c, s, s.n);
	default:
		return true;
	}
}

static bool
read_table(struct check_line *c, const struct checklist_table *t, struct span s)
{
	size_t delimiters = 0;

	for (size_t i = 0; i < s.n; i++)
		delimiters += s.p[i] == t->delimiter;
	if (delimiters + 1 != t->n)
		return false;
	for (size_t i = 0; i < t->n; i++)
		if (!read_column(
			    c, t->column[i], take_column(&s, t->delimiter)))
			return false;
	return true;
}

static bool
read_line(struct check_line *c, enum checklist_kind kind,
	const struct checklist_table *table, struct span s)
{
	struct check_line fresh = {.number = c->number};

	*c = fresh;
	if (kind == CHECKLIST_TABLE)
		return read_table(c, table, s);
	if (read_sum(c, s)) {
		/* Whose digest it would be is said by the side file's name. */
		return c->name_len > 0 || kind == CHECKLIST_SUMS;
	}
	*c = fresh;
	if (kind == CHECKLIST_NAMES)
		return take_name(c, s, false);
	return count_hex(s) == s.n && take_digest(c, s, s.n);
}

static bool
is_blank(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != ' ' && s.p[i] != '\t')
			return false;
	return true;
}

static int
compare(const uint8_t *a, size_t an, const uint8_t *b, size_t bn)
{
	int order = memcmp(a, b, an < bn ? an : bn);

	return order != 0 ? order : (an > bn) - (an < bn);
}

static int
by_name(const void *a, const void *b)
{
	const struct check_line *x = a, *y = b;
	int order = x->name_len == 0 || y->name_len == 0
		? (x->name_len > 0) - (y->name_len > 0)
		: compare(x->name, x->name_len, y->name, y->name_len);

	return order != 0 ? order
			  : (x->number > y->number) - (x->number < y->number);
}

static enum rc
add_line(struct checklist *l, const struct check_line *c, struct err *e)
{
	if (l->n == CHECKLIST_LINES)
		return err_set(
			e, BAD_ITEM, "more than %d names", CHECKLIST_LINES);
	if ((l->n & (l->n + 1)) == 0)
		l->line = mem_resize(l->line, 2 * l->n + 1, sizeof(*l->line));
	l->line[l->n++] = *c;
	return OK;
}

enum rc
checklist_read(struct checklist *l, enum checklist_kind kind,
	const struct checklist_table *table, struct buf *text, struct err *e)
{
	static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
	unsigned number = 0;
	uint8_t *at, *end;

	*l = (struct checklist){.text = *text};
	*text = (struct buf){.max = text->max};
	at = l->text.data;
	end = at + l->text.len;
	if (l->text.len >= sizeof(mark) && memcmp(at, mark, sizeof(mark)) == 0)
		at += sizeof(mark);
	while (at < end) {
		uint8_t *lf = memchr(at, '\n', (size_t)(end - at));
		struct span s = {at, (size_t)((lf != NULL ? lf : end) - at)};
		struct check_line c = {.number = ++number};

		at = lf != NULL ? lf + 1 : end;
		if (s.n > 0 && s.p[s.n - 1] == '\r')
			s.n--;
		if (is_blank(s) || s.p[0] == '#' ||
			(kind == CHECKLIST_TABLE && number <= table->header))
			continue;
		if (!read_line(&c, kind, table, s)) {
			if (l->strange == 0)
				l->strange = number;
			continue;
		}
		if (add_line(l, &c, e) != OK) {
			checklist_release(l);
			return e->code;
		}
	}
	if (l->n > 0)
		qsort(l->line, l->n, sizeof(*l->line), by_name);
	return OK;
}

void
checklist_release(struct checklist *l)
{
	buf_release(&l->text);
	free(l->line);
	*l = (struct checklist){.n = 0};
}

size_t
checklist_find(struct checklist *l, const uint8_t *name, size_t len,
	struct check_line **ret_first)
{
	const struct check_line wanted = {.name = name, .name_len = len};
	size_t low = 0, high = l->n, n = 0;

	/* Number 0 is before every line of that name. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (by_name(&l->line[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (low + n < l->n && l->line[low + n].name_len == len &&
		(len == 0 || memcmp(l->line[low + n].name, name, len) == 0))
		n++;
	*ret_first = n > 0 ? &l->line[low] : NULL;
	return n;
}

void
check_line_sum(const struct check_line *c, uint8_t sum[DIGEST_MAX])
{
	for (size_t i = 0; i < digest_len(c->kind); i++)
		sum[i] = (uint8_t)(hex_value((uint8_t)c->hex[2 * i]) << 4 |
			hex_value((uint8_t)c->hex[2 * i + 1]));
}

void
check_line_add_hex(struct str *s, const struct check_line *c)
{
	uint8_t sum[DIGEST_MAX];

	check_line_sum(c, sum);
	str_add_hex(s, sum, digest_len(c->kind));
}
