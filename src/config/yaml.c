#include "config/yaml.h"

#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "config/hint.h"

#define SHOWN_MAX 60

struct builder {
	const char *text;
	size_t len;
	struct yaml *yaml;
	struct report *report;
	struct fy_parser *parser;
	struct fy_diag *diag;
	struct fy_event *event;
	unsigned line, column; /* of the last event that has a place */
	bool whole;	       /* nothing so far stops us */
	unsigned documents;
	unsigned depth;
	struct {
		struct yaml_node *node;
		struct yaml_node *key; /* waits for its value */
	} open[YAML_DEPTH_MAX];
};

/*
 * Where a reader sees the token: some begin, for libfyaml, behind the
 * character that marks them (a quote, a star, an ampersand).
 */
static void
set_place(struct builder *b, const struct fy_mark *at, const char *marks)
{
	if (at == NULL)
		return;
	b->line = (unsigned)at->line + 1;
	b->column = (unsigned)at->column + 1;
	if (b->column > 1 && at->input_pos > 0 && at->input_pos <= b->len &&
		strchr(marks, b->text[at->input_pos - 1]) != NULL)
		b->column--;
}

static struct yaml_node *
node_new(struct builder *b, enum yaml_kind kind)
{
	struct yaml_node *n = mem_alloc(sizeof(*n));

	n->kind = kind;
	n->file = b->report->file;
	n->line = b->line;
	n->column = b->column;
	n->older = b->yaml->newest;
	b->yaml->newest = n;
	b->yaml->nodes++;
	return n;
}

/* {{x}} without quotes is a mapping whose key is a mapping. */
static void
report_key(struct builder *b, const struct yaml_node *n,
	const struct yaml_node *up)
{
	CLEANUP(str_release) struct str hint = STR_INIT;

	if (n->kind == YAML_MAPPING && n->line == up->line &&
		n->column == up->column + 1)
		hint_quotes(&hint, b->text, b->len, up->line, up->column);
	report_add(b->report, n->line, n->column,
		"a key must be text, this is %s%s", yaml_what(n), hint.s);
}

/* Hangs a finished or opened node where the text has it. */
static void
node_hang(struct builder *b, struct yaml_node *n)
{
	struct yaml_node *up, **key;

	if (b->depth == 0) {
		if (b->yaml->root == NULL)
			b->yaml->root = n;
		return;
	}
	up = b->open[b->depth - 1].node;
	key = &b->open[b->depth - 1].key;
	if (up->kind == YAML_MAPPING && *key == NULL) {
		*key = n;
		if (n->kind == YAML_SCALAR || n->kind == YAML_WRONG)
			return;
		report_key(b, n, up);
		b->whole = false;
		return;
	}
	n->key = *key;
	*key = NULL;
	if (up->last != NULL)
		up->last->next = n;
	else
		up->first = n;
	up->last = n;
	up->n++;
}

static int
by_key(const void *va, const void *vb)
{
	const struct yaml_node *a = *(struct yaml_node *const *)va;
	const struct yaml_node *b = *(struct yaml_node *const *)vb;
	size_t least = a->len < b->len ? a->len : b->len;
	int order = memcmp(a->text, b->text, least);

	if (order != 0)
		return order;
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->column < b->column ? -1 : 1;
}

static bool
same_key(const struct yaml_node *a, const struct yaml_node *b)
{
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

/* By sorting: a hostile file must not buy a quadratic search. */
static void
report_repeated_keys(struct builder *b, const struct yaml_node *map)
{
	struct yaml_node **key = mem_array(map->n, sizeof(*key));
	struct yaml_node *first = NULL;
	size_t n = 0;

	for (struct yaml_node *v = map->first; v != NULL; v = v->next)
		if (v->key->kind == YAML_SCALAR)
			key[n++] = v->key;
	if (n > 1)
		qsort(key, n, sizeof(*key), by_key);
	for (size_t i = 0; i < n; i++) {
		CLEANUP(str_release) struct str name = STR_INIT;

		if (first == NULL || !same_key(first, key[i])) {
			first = key[i];
			continue;
		}
		yaml_add_shown(&name, first);
		report_add(b->report, key[i]->line, key[i]->column,
			"%s is given twice; the first is on line %u", name.s,
			first->line);
		key[i]->kind = YAML_WRONG;
	}
	free(key);
}

static void
stop(struct builder *b, const char *why)
{
	report_add(b->report, b->line, b->column, "%s", why);
	b->whole = false;
}

static void
collection_start(struct builder *b, enum yaml_kind kind)
{
	struct yaml_node *n = node_new(b, kind);

	node_hang(b, n);
	if (!b->whole)
		return;
	if (b->depth == YAML_DEPTH_MAX) {
		stop(b, "nested too deep");
		return;
	}
	b->open[b->depth].node = n;
	b->open[b->depth].key = NULL;
	b->depth++;
}

static void
collection_end(struct builder *b)
{
	struct yaml_node *n = b->open[--b->depth].node;

	if (n->kind == YAML_MAPPING && n->n > 1)
		report_repeated_keys(b, n);
}

static void
scalar(struct builder *b)
{
	struct fy_token *token = b->event->scalar.value;
	struct yaml_node *n = node_new(b, YAML_SCALAR);
	const char *text;
	size_t len = 0;

	text = token != NULL ? fy_token_get_text(token, &len) : NULL;
	n->text = mem_dup(text != NULL ? text : "", text != NULL ? len : 0);
	n->len = text != NULL ? len : 0;
	n->plain = token == NULL || fy_token_scalar_style(token) == FYSS_PLAIN;
	node_hang(b, n);
}

static void
document_start(struct builder *b)
{
	if (b->documents++ > 0)
		stop(b,
			"a second YAML document starts here; a configuration "
			"is one");
}

/* A star, an ampersand or an exclamation mark, which globs begin with too. */
static void
report_mark(struct builder *b, const char *what)
{
	CLEANUP(str_release) struct str hint = STR_INIT;

	if (!report_is_full(b->report))
		hint_quotes(&hint, b->text, b->len, b->line, b->column);
	report_add(b->report, b->line, b->column, "%s%s", what, hint.s);
}

static void
alias(struct builder *b)
{
	report_mark(b, "aliases are not supported: write the value out");
	node_hang(b, node_new(b, YAML_WRONG));
}

static void
report_property(struct builder *b, struct fy_token *token, const char *what)
{
	if (token == NULL)
		return;
	set_place(b, fy_token_start_mark(token), "&");
	report_mark(b, what);
}

static void
take_event(struct builder *b)
{
	enum fy_event_type type = b->event->type;

	if (type == FYET_MAPPING_START || type == FYET_SEQUENCE_START ||
		type == FYET_SCALAR) {
		report_property(b, fy_event_get_anchor_token(b->event),
			"anchors are not supported");
		report_property(b, fy_event_get_tag_token(b->event),
			"tags are not supported");
	}
	set_place(b, fy_event_start_mark(b->event), "*\"'");
	switch (type) {
	case FYET_DOCUMENT_START:
		document_start(b);
		return;
	case FYET_MAPPING_START:
		collection_start(b, YAML_MAPPING);
		break;
	case FYET_SEQUENCE_START:
		collection_start(b, YAML_SEQUENCE);
		break;
	case FYET_MAPPING_END:
	case FYET_SEQUENCE_END:
		collection_end(b);
		break;
	case FYET_SCALAR:
		scalar(b);
		break;
	case FYET_ALIAS:
		alias(b);
		break;
	default:
		return;
	}
	if (b->yaml->nodes > YAML_NODES_MAX)
		stop(b, "too many values for a configuration");
}

/* libfyaml tells the cause first, then what followed from it. */
static void
report_syntax(struct builder *b)
{
	CLEANUP(str_release) struct str hint = STR_INIT;
	void *at = NULL;
	struct fy_diag_error *x = fy_diag_errors_iterate(b->diag, &at);

	if (x == NULL) {
		stop(b, "not YAML");
		return;
	}
	if (x->line >= 0)
		b->line = (unsigned)x->line;
	if (x->column >= 0)
		b->column = (unsigned)x->column;
	hint_syntax(&hint, b->text, b->len, b->line, b->column, x->msg);
	report_add(b->report, b->line, b->column, "not YAML: %s%s", x->msg,
		hint.s);
	b->whole = false;
}

/* What YAML forbids and libfyaml is better never shown. */
static bool
check_bytes(const char *text, size_t len, struct report *r)
{
	unsigned line = 1, column = 1;

	if (len > YAML_SIZE_MAX) {
		report_add(r, 0, 0, "larger than 1 MiB");
		return false;
	}
	if (memchr(text, '\0', len) == NULL && str_is_utf8(text, len))
		return true;
	for (size_t i = 0; i < len; i++) {
		size_t n = 1;

		if (text[i] == '\0') {
			report_add(r, line, column, "a NUL byte: not text");
			return false;
		}
		while (n < 4 && i + n < len && !str_is_utf8(text + i, n))
			n++;
		if (!str_is_utf8(text + i, n)) {
			report_add(r, line, column, "byte 0x%02x is not UTF-8",
				(uint8_t)text[i]);
			return false;
		}
		column = text[i] == '\n' ? 1 : column + 1;
		line += text[i] == '\n';
		i += n - 1;
	}
	return false;
}

static void
drop_output(struct fy_diag *diag UNUSED, void *user UNUSED,
	const char *buf UNUSED, size_t len UNUSED)
{
}

bool
yaml_parse(struct yaml *y, const char *text, size_t len, struct report *r)
{
	struct builder b = {
		.text = text,
		.len = len,
		.yaml = y,
		.report = r,
		.line = 1,
		.column = 1,
		.whole = true,
	};
	struct fy_diag_cfg diag_cfg;
	struct fy_parse_cfg cfg = {
		.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_JSON_NONE |
			FYPCF_DEFAULT_VERSION_1_2,
	};

	*y = (struct yaml){.root = NULL};
	if (len == 0)
		return true;
	if (!check_bytes(text, len, r))
		return false;
	fy_diag_cfg_default(&diag_cfg);
	diag_cfg.fp = NULL;
	diag_cfg.output_fn = drop_output;
	b.diag = fy_diag_create(&diag_cfg);
	if (b.diag == NULL)
		abort(); /* no memory */
	fy_diag_set_collect_errors(b.diag, true);
	cfg.diag = b.diag;
	b.parser = fy_parser_create(&cfg);
	if (b.parser == NULL || fy_parser_set_string(b.parser, text, len) != 0)
		abort();
	while (b.whole && (b.event = fy_parser_parse(b.parser)) != NULL) {
		take_event(&b);
		fy_parser_event_free(b.parser, b.event);
	}
	if (b.whole && fy_parser_get_stream_error(b.parser))
		report_syntax(&b);
	fy_parser_destroy(b.parser);
	fy_diag_destroy(b.diag);
	return b.whole;
}

void
yaml_release(struct yaml *y)
{
	for (struct yaml_node *n = y->newest, *older; n != NULL; n = older) {
		older = n->older;
		free(n->text);
		free(n);
	}
	*y = (struct yaml){.root = NULL};
}

const struct yaml_node *
yaml_get(const struct yaml_node *n, const char *key)
{
	size_t len = strlen(key);

	if (n == NULL || n->kind != YAML_MAPPING)
		return NULL;
	for (const struct yaml_node *v = n->first; v != NULL; v = v->next)
		if (v->key->kind == YAML_SCALAR && v->key->len == len &&
			memcmp(v->key->text, key, len) == 0)
			return v;
	return NULL;
}

bool
yaml_is_null(const struct yaml_node *n)
{
	return n->kind == YAML_SCALAR && n->plain &&
		(n->len == 0 || strcmp(n->text, "~") == 0 ||
			strcmp(n->text, "null") == 0);
}

void
yaml_add_shown(struct str *s, const struct yaml_node *n)
{
	bool cut = n->len > SHOWN_MAX;
	size_t len = cut ? SHOWN_MAX : n->len;

	while (cut && len > 0 && ((uint8_t)n->text[len] & 0xc0) == 0x80)
		len--;
	str_add_quoted(s, n->text, len);
	if (cut)
		str_add(s, "...");
}

const char *
yaml_what(const struct yaml_node *n)
{
	if (n->kind == YAML_SEQUENCE)
		return "a list";
	if (n->kind == YAML_MAPPING)
		return "a mapping";
	return yaml_is_null(n) ? "nothing" : "text";
}
