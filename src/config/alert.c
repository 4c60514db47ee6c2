#include "config/alert.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config/secret.h"
#include "config/value.h"

#define TIMEOUT (30 * CLOCK_SECOND)
#define TIMEOUT_MOST (600 * CLOCK_SECOND)
#define HEADERS_MAX 16

const char *const alert_event_names[] = {
	[ALERT_LATE] = "late",
	[ALERT_SHORT] = "short",
	[ALERT_MISSING] = "missing",
	[ALERT_COULD_NOT_LOOK] = "could-not-look",
	[ALERT_QUARANTINED] = "quarantined",
	[ALERT_DRIFT] = "drift",
	[ALERT_FAILING] = "failing",
	[ALERT_NO_SPACE] = "no-space",
	[ALERT_RECEIPTS] = "receipts",
	[ALERT_WAITING] = "waiting",
	[ALERT_RECOVERED] = "recovered",
	NULL,
};

void
alert_release(struct alert_config *a)
{
	for (size_t i = 0; i < a->n_command; i++)
		free(a->command[i]);
	free(a->command);
	free(a->url);
	secret_release(&a->secret_url);
	for (size_t i = 0; i < a->n_headers; i++) {
		free(a->header[i].name);
		free(a->header[i].text);
		secret_release(&a->header[i].secret);
	}
	free(a->header);
	*a = (struct alert_config){.set = false};
}

struct reading {
	const struct option *option;
	const struct field_context *context;
	struct alert_config fresh;
};

static bool
wrong(const struct reading *r, const struct yaml_node *n, const char *text)
{
	if (n->kind != YAML_WRONG)
		report_add(r->context->report, n->line, n->column, "%s: %s",
			option_name(r->option), text);
	return false;
}

static bool
is_text(const struct yaml_node *n)
{
	return n->kind == YAML_SCALAR && n->len > 0 &&
		strlen(n->text) == n->len;
}

static bool
read_command(struct reading *r, const struct yaml_node *n)
{
	struct alert_config *a = &r->fresh;

	if (n->kind != YAML_SEQUENCE || n->n == 0)
		return wrong(r, n,
			"command: expected a list, the program first; it runs "
			"without a shell");
	a->command = mem_array(n->n + 1, sizeof(*a->command));
	for (const struct yaml_node *i = n->first; i != NULL; i = i->next) {
		if (i->kind != YAML_SCALAR || strlen(i->text) != i->len)
			return wrong(r, i, "command: expected text");
		a->command[a->n_command++] = mem_strdup(i->text);
	}
	if (a->command[0][0] != '/')
		return wrong(r, n->first,
			"command: expected the program's absolute path");
	return true;
}

/* Enough to be refused here; libcurl reads it once more in `check`. */
bool
alert_url_is_right(const char *url)
{
	const char *host = strncasecmp(url, "https://", 8) == 0 ? url + 8
		: strncasecmp(url, "http://", 7) == 0		? url + 7
								: NULL;

	if (host == NULL || strcspn(host, "/?#") == 0)
		return false;
	/* A password before the host would be a secret in the file. */
	if (memchr(host, '@', strcspn(host, "/?#")) != NULL)
		return false;
	for (; *url != '\0'; url++)
		if (*url <= ' ' || *url > '~')
			return false;
	return true;
}

static bool
read_url(struct reading *r, const struct yaml_node *n)
{
	if (n->kind == YAML_MAPPING)
		return secret_parse(&r->fresh.secret_url, n, r->context->dir,
			"alert: url", r->context->report);
	if (!is_text(n) || !alert_url_is_right(n->text))
		return wrong(r, n,
			"url: expected https://HOST/PATH or http://..., "
			"without user and password, or a secret that holds "
			"one");
	r->fresh.url = mem_strdup(n->text);
	return true;
}

/* RFC 9110 section 5.6.2: what a field name is made of. */
static bool
is_token(const char *text)
{
	return *text != '\0' &&
		strspn(text,
			"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
			"ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(text);
}

static bool
is_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if ((uint8_t)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

static bool
read_header(struct reading *r, const struct yaml_node *n)
{
	struct alert_config *a = &r->fresh;

	if (n->kind != YAML_MAPPING || n->n > HEADERS_MAX)
		return wrong(r, n,
			"header: expected a mapping of names to texts or "
			"secrets, at most 16");
	a->header = mem_array(n->n + 1, sizeof(*a->header));
	for (const struct yaml_node *v = n->first; v != NULL; v = v->next) {
		struct alert_header *h = &a->header[a->n_headers];

		if (v->key->kind != YAML_SCALAR || !is_token(v->key->text))
			return wrong(
				r, v->key, "header: not a name of a header");
		h->name = mem_strdup(v->key->text);
		a->n_headers++;
		if (v->kind == YAML_MAPPING) {
			if (!secret_parse(&h->secret, v, r->context->dir,
				    "alert: header", r->context->report))
				return false;
		} else if (is_text(v) && is_printable(v->text)) {
			h->text = mem_strdup(v->text);
		} else {
			return wrong(r, v,
				"header: expected text or a secret such as "
				"{credential: NAME}");
		}
	}
	return true;
}

static bool
read_on(struct reading *r, const struct yaml_node *n)
{
	r->fresh.on = 0;
	if (n->kind != YAML_SEQUENCE || n->n == 0)
		return wrong(r, n, "on: expected a list of events");
	for (const struct yaml_node *i = n->first; i != NULL; i = i->next) {
		CLEANUP(str_release) struct str s = STR_INIT;
		unsigned v;

		if (i->kind == YAML_SCALAR && strlen(i->text) == i->len &&
			value_choice(i->text, alert_event_names, &v)) {
			r->fresh.on |= UINT32_C(1) << v;
			continue;
		}
		str_add(&s, "on: expected ");
		value_add_choices(&s, alert_event_names);
		return wrong(r, i, s.s);
	}
	return true;
}

static bool
read_timeout(struct reading *r, const struct yaml_node *n)
{
	if (n->kind == YAML_SCALAR &&
		value_duration(n->text, &r->fresh.timeout) &&
		r->fresh.timeout >= CLOCK_SECOND &&
		r->fresh.timeout <= TIMEOUT_MOST)
		return true;
	return wrong(r, n, "timeout: expected " VALUE_DURATION ", 1s to 10m");
}

static const struct {
	const char *name;
	bool (*read)(struct reading *r, const struct yaml_node *n);
} keys[] = {
	{"command", read_command},
	{"url", read_url},
	{"header", read_header},
	{"on", read_on},
	{"timeout", read_timeout},
};

static bool
read_key(struct reading *r, const struct yaml_node *n)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (n->key->kind == YAML_SCALAR &&
			strcmp(keys[i].name, n->key->text) == 0)
			return n->kind != YAML_WRONG && keys[i].read(r, n);
	return wrong(r, n->key,
		"unknown key; expected command or url, header, on or timeout");
}

bool
alert_read(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	struct reading r = {
		.option = o,
		.context = c,
		.fresh = {.set = true,
			.timeout = TIMEOUT,
			.on = (UINT32_C(1) << ALERT_EVENTS) - 1},
	};
	struct alert_config *at = field, *a = &r.fresh;
	bool right = true, has_url;

	if (n->kind == YAML_SCALAR) {
		if (strcmp(n->text, "none") != 0)
			return field_expected(o, c, n);
		alert_release(at);
		at->set = true;
		return true;
	}
	if (n->kind != YAML_MAPPING)
		return field_expected(o, c, n);
	for (const struct yaml_node *v = n->first; v != NULL; v = v->next)
		right = read_key(&r, v) && right;
	has_url = a->url != NULL || a->secret_url.n > 0;
	if (right && has_url == (a->n_command > 0))
		right = wrong(&r, n, "expected either command or url");
	if (right && a->n_headers > 0 && !has_url)
		right = wrong(&r, n, "header: goes with url alone");
	if (!right) {
		alert_release(a);
		return false;
	}
	alert_release(at);
	*at = *a;
	return true;
}

/* One that is set and goes nowhere is `none`. */
static bool
goes_somewhere(const struct alert_config *a)
{
	return a->n_command > 0 || a->url != NULL || a->secret_url.n > 0;
}

void
alert_inherit(struct config *c)
{
	for (size_t i = 0; i < c->n_sources; i++) {
		struct source_config *s = &c->source[i];
		const struct alert_config *a =
			s->own_alert.set ? &s->own_alert : &c->alert;

		s->alert = goes_somewhere(a) ? a : NULL;
	}
}
