#include "source/http/rule.h"

#include <string.h>
#include <strings.h>

#include "source/http/wait.h"

#define VALUES_MAX 1024 /* of one selector that are looked at */

static bool
has_status(const struct api_rule *r, unsigned status)
{
	if (r->n_status == 0)
		return status < 200 || status > 299;
	for (size_t i = 0; i < r->n_status; i++)
		if (status >= r->status[i].from && status <= r->status[i].to)
			return true;
	return false;
}

static bool
fits(const struct api_rule *r, const struct str *value)
{
	if (r->contains != NULL &&
		memmem(value->s, value->len, r->contains,
			strlen(r->contains)) == NULL)
		return false;
	for (size_t i = 0; i < r->values.n; i++)
		if (strcmp(r->values.word[i], value->s) == 0)
			return true;
	return r->values.n == 0;
}

/* One of the field's values is enough: "$[*].errorCode". */
static bool
has_field(const struct rule_input *in, const struct api_rule *r)
{
	for (size_t i = 0; i < VALUES_MAX; i++) {
		CLEANUP(str_release) struct str value = STR_INIT;

		if (in->value(in->arg, &r->field, i, &value) != OK)
			return false;
		if (fits(r, &value))
			return true;
	}
	return false;
}

static bool
has_text(const struct rule_input *in, const char *text)
{
	const struct http_body *b = &in->answer->body;

	return b->n_held > 0 &&
		memmem(b->held, b->n_held, text, strlen(text)) != NULL;
}

static bool
matches(const struct rule_input *in, const struct api_rule *r)
{
	if (r->phases != 0 && (r->phases & 1u << in->phase) == 0)
		return false;
	if (!has_status(r, in->answer->status))
		return false;
	if (r->field.from != API_FROM_NOTHING)
		return has_field(in, r);
	return r->contains == NULL || has_text(in, r->contains);
}

static bool
wait_by(const struct rule_input *in, const struct api_wait *w, int64_t *ret)
{
	CLEANUP(str_release) struct str value = STR_INIT;

	if (w->midnight)
		return wait_midnight(w->zone, in->now, ret);
	if (w->from.from == API_FROM_NOTHING) {
		*ret = w->fixed;
		return true;
	}
	return in->value(in->arg, &w->from, 0, &value) == OK &&
		wait_parse(w->unit, value.s, value.len, in->now, ret);
}

/* The first source that is there says how long; 0: none is. */
static int64_t
wait_of(const struct rule_input *in, const struct api_rule *r)
{
	int64_t wait = 0;

	for (size_t i = 0; i < r->n_wait; i++) {
		if (wait_by(in, &r->wait[i], &wait))
			return wait;
		if (r->wait[i].midnight)
			wait = WAIT_BEHIND;
	}
	return wait;
}

/* RFC 9110 section 10.2.3, whoever answers. */
static int64_t
retry_after(const struct rule_input *in)
{
	size_t len;
	const char *p = http_answer_field(in->answer, "Retry-After", &len);
	int64_t wait;

	if (p != NULL && wait_parse(API_UNIT_S, p, len, in->now, &wait))
		return wait;
	return 0;
}

static enum api_action
built_in(const struct rule_input *in)
{
	unsigned status = in->answer->status;

	if (status == 429)
		return API_RATE_LIMITED;
	if (status == 204 || status == 304)
		return API_EMPTY;
	if (status == 401 &&
		(in->auth->type == API_AUTH_OAUTH2 ||
			in->auth->type == API_AUTH_SESSION))
		return API_REFRESH_AUTH;
	if (status == 408 || status == 425 || status == 500 || status == 502 ||
		status == 503 || status == 504 ||
		(status >= 520 && status <= 530))
		return API_RETRY;
	return API_FAIL;
}

static bool
decide_by_rules(const struct rule_input *in, const struct api_rules *rules,
	struct rule_verdict *v)
{
	for (size_t i = 0; i < rules->n; i++) {
		const struct api_rule *r = &rules->row[i];

		if (!matches(in, r))
			continue;
		v->rule = r;
		v->action = r->action;
		v->wait = wait_of(in, r);
		return true;
	}
	return false;
}

void
rule_decide(const struct rule_input *in, struct rule_verdict *ret)
{
	unsigned status = in->answer->status;
	struct rule_verdict v = {.fine = false};
	bool found = false;

	for (const struct api_rules *r = in->rules; r != NULL && !found;
		r = r->then)
		found = decide_by_rules(in, r, &v);
	if (!found && status >= 200 && status <= 299 && status != 204)
		v.fine = true;
	else if (!found)
		v.action = built_in(in);
	if (v.wait == 0)
		v.wait = retry_after(in);
	*ret = v;
}

static size_t
add(const struct api_selector *s, const struct api_selector **ret, size_t n,
	size_t max)
{
	if (s->from != API_FROM_BODY)
		return n;
	if (n < max)
		ret[n] = s;
	return n + 1;
}

size_t
rule_selectors(const struct api_rules *rules, const struct api_selector **ret,
	size_t max)
{
	size_t n = 0;

	for (; rules != NULL; rules = rules->then)
		for (size_t i = 0; i < rules->n; i++) {
			const struct api_rule *r = &rules->row[i];

			n = add(&r->field, ret, n, max);
			for (size_t k = 0; k < r->n_wait; k++)
				n = add(&r->wait[k].from, ret, n, max);
		}
	return n;
}
