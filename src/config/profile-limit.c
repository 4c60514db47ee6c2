#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config/profile-read.h"
#include "config/value.h"
#include "landfall/schedule.h"

/* "5/s", "300/m", "100/10s", "250000/d". */
static bool
parse_limit(const char *text, struct api_limit *ret)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = {
		{"s", CLOCK_SECOND},
		{"m", 60 * CLOCK_SECOND},
		{"h", 3600 * CLOCK_SECOND},
		{"d", 86400 * CLOCK_SECOND},
	};
	const char *slash = strchr(text, '/');
	struct api_limit l = {.requests = 0};

	if (slash == NULL ||
		!str_parse_u64(text, (size_t)(slash - text), &l.requests))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (strcmp(slash + 1, units[i].name) == 0)
			l.per = units[i].ns;
	if (l.per == 0 && !value_span(slash + 1, &l.per))
		return false;
	if (l.requests == 0 || l.requests > 1000000 || l.per <= 0)
		return false;
	*ret = l;
	return true;
}

bool
profile_limit_limits(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	struct api_rate *r =
		(void *)((char *)field - offsetof(struct api_rate, limit));
	const struct yaml_node *first = n->kind == YAML_SEQUENCE ? n->first : n;
	bool right = true;

	(void)row;
	r->limit = mem_array(n->n + 1, sizeof(*r->limit));
	for (const struct yaml_node *v = first; v != NULL;
		v = v == n ? NULL : v->next)
		if (!profile_is_text(v) ||
			!parse_limit(v->text, &r->limit[r->n++]))
			right = profile_wrong(p, v,
				"%s: expected a limit such as 5/s, 300/m or "
				"100/10s, at most 1000000 requests",
				what);
	return right;
}

static bool
parse_status(const char *text, struct api_status_range *ret)
{
	uint64_t from, to;
	const char *dash = strchr(text, '-');

	if (strlen(text) == 3 && strcmp(text + 1, "xx") == 0 &&
		text[0] >= '1' && text[0] <= '5') {
		from = (uint64_t)(text[0] - '0') * 100;
		to = from + 99;
	} else if (dash != NULL) {
		if (!str_parse_u64(text, (size_t)(dash - text), &from) ||
			!str_parse_u64(dash + 1, strlen(dash + 1), &to))
			return false;
	} else if (str_parse_u64(text, strlen(text), &from)) {
		to = from;
	} else {
		return false;
	}
	if (from < 100 || to > 599 || from > to)
		return false;
	*ret = (struct api_status_range){(unsigned)from, (unsigned)to};
	return true;
}

bool
profile_limit_statuses(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	struct api_rule *r =
		(void *)((char *)field - offsetof(struct api_rule, status));
	const struct yaml_node *first = n->kind == YAML_SEQUENCE ? n->first : n;
	bool right = true;

	(void)row;
	r->status = mem_array(n->n + 1, sizeof(*r->status));
	for (const struct yaml_node *v = first; v != NULL;
		v = v == n ? NULL : v->next)
		if (!profile_is_text(v) ||
			!parse_status(v->text, &r->status[r->n_status++]))
			right = profile_wrong(p, v,
				"%s: expected a status such as 429, 5xx or "
				"500-599",
				what);
	return right;
}

bool
profile_limit_phases(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	const struct yaml_node *first = n->kind == YAML_SEQUENCE ? n->first : n;
	unsigned *mask = field, v;

	(void)row;
	for (const struct yaml_node *i = first; i != NULL;
		i = i == n ? NULL : i->next) {
		if (!profile_is_text(i) ||
			!value_choice(i->text, api_phase_names, &v)) {
			CLEANUP(str_release) struct str s = STR_INIT;

			value_add_choices(&s, api_phase_names);
			return profile_wrong(
				p, i, "%s: expected %s", what, s.s);
		}
		*mask |= 1u << v;
	}
	return true;
}

static const char *const units[] = {
	[API_UNIT_S] = "s",
	[API_UNIT_MS] = "ms",
	[API_UNIT_MINUTES] = "minutes",
	[API_UNIT_EPOCH_S] = "epoch_s",
	[API_UNIT_EPOCH_MS] = "epoch_ms",
	[API_UNIT_HTTP_DATE] = "http_date",
	NULL,
};

/* A copy of the mapping without the key, to be read as a selector. */
static bool
read_rest(struct profile_reading *p, const char *what,
	const struct yaml_node *n, const char *without, struct api_selector *s)
{
	struct yaml_node map = *n;
	struct yaml_node *copy = mem_array(n->n + 1, sizeof(*copy));
	size_t k = 0;
	bool right;

	map.first = NULL;
	for (const struct yaml_node *v = n->first; v != NULL; v = v->next) {
		if (v->key->kind == YAML_SCALAR &&
			strcmp(v->key->text, without) == 0)
			continue;
		copy[k] = *v;
		copy[k].next = NULL;
		if (k > 0)
			copy[k - 1].next = &copy[k];
		k++;
	}
	map.first = k > 0 ? copy : NULL;
	map.n = k;
	right = profile_read_selector(p, what, &map, s);
	free(copy);
	return right;
}

/* *ret_known: the source, if it is to say which zone, does. False: reported. */
static bool
read_midnight(struct profile_reading *p, const char *what,
	const struct yaml_node *n, struct api_wait *w, bool *ret_known)
{
	const struct api_config *c = profile_config_of(p, n);
	const char *name = c == NULL ? n->text
		: c->value.n > 0     ? c->value.word[0]
				     : NULL;
	struct err e = ERR_INIT;

	if (!profile_is_text(n) || (c == NULL && strstr(n->text, "{{") != NULL))
		return profile_wrong(p, n,
			"%s: midnight: expected a time zone such as "
			"Europe/Berlin, or {{config.NAME}}",
			what);
	*ret_known = name != NULL;
	if (name == NULL)
		return true;
	if (zoneinfo_load(name, &w->zone, &e) != OK)
		return profile_wrong(
			p, n, "%s: midnight: %s: %s", what, name, e.text);
	w->midnight = true;
	return true;
}

static bool
read_wait(struct profile_reading *p, const char *what,
	const struct yaml_node *n, struct api_wait *w, bool *ret_known)
{
	const struct yaml_node *fixed = yaml_get(n, "fixed");
	const struct yaml_node *midnight = yaml_get(n, "midnight");
	const struct yaml_node *unit = yaml_get(n, "unit");
	unsigned v = API_UNIT_S;

	*ret_known = true;
	if (n->kind != YAML_MAPPING)
		return profile_wrong(p, n,
			"%s: expected {header: NAME, unit: UNIT} or another "
			"selector, {midnight: ZONE} or {fixed: 15m}",
			what);
	if ((fixed != NULL || midnight != NULL) && n->n != 1)
		return profile_wrong(p, n, "%s: %s stands alone", what,
			fixed != NULL ? "fixed" : "midnight");
	if (midnight != NULL)
		return read_midnight(p, what, midnight, w, ret_known);
	if (fixed != NULL) {
		if (!profile_is_text(fixed) ||
			!value_span(fixed->text, &w->fixed) || w->fixed <= 0)
			return profile_wrong(p, fixed,
				"%s: fixed: expected " VALUE_DURATION
				" or PT1H",
				what);
		return true;
	}
	if (unit != NULL &&
		(!profile_is_text(unit) ||
			!value_choice(unit->text, units, &v))) {
		CLEANUP(str_release) struct str s = STR_INIT;

		value_add_choices(&s, units);
		return profile_wrong(
			p, unit, "%s: unit: expected %s", what, s.s);
	}
	w->unit = (enum api_unit)v;
	if (!read_rest(p, what, n, "unit", &w->from))
		return false;
	return w->from.from != API_FROM_LAST ||
		profile_wrong(p, n, "%s: an error has no records", what);
}

bool
profile_limit_waits(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	struct api_rule *r =
		(void *)((char *)field - offsetof(struct api_rule, wait));
	const struct yaml_node *first = n->kind == YAML_SEQUENCE ? n->first : n;
	bool right = true;

	(void)row;
	r->wait = mem_array(n->n + 1, sizeof(*r->wait));
	for (const struct yaml_node *v = first; v != NULL;
		v = v == n ? NULL : v->next) {
		bool known;

		right &= read_wait(p, what, v, &r->wait[r->n_wait], &known);
		if (known)
			r->n_wait++;
	}
	return right;
}

bool
profile_limit_expires(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field)
{
	struct api_auth *a =
		(void *)((char *)field - offsetof(struct api_auth, expires));

	(void)row;
	a->expires_given = true;
	if (n->kind == YAML_MAPPING)
		return profile_read_selector(p, what, n, &a->expires);
	if (profile_is_text(n) && strcmp(n->text, "unknown") == 0)
		return true;
	if (profile_is_text(n) && value_span(n->text, &a->lifetime) &&
		a->lifetime > 0)
		return true;
	return profile_wrong(p, n,
		"%s: expected a selector, " VALUE_DURATION
		" or PT1H, or unknown",
		what);
}
