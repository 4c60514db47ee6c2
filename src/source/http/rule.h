/*
 * rule.h - what an answer that is no success means: the profile's rules, the
 * first that matches, and behind them the ones that hold for every API.
 *
 *	answer			action, unless a rule says otherwise
 *	2xx			fine
 *	204, 304		empty
 *	401			refresh_auth where auth can, once; else fail
 *	429			rate_limited
 *	408, 425, 5xx (1)	retry
 *	no answer, or half one	retry
 *	everything else		fail
 *
 *	(1) 500, 502, 503, 504 and 520 to 530
 */
#ifndef SOURCE_HTTP_RULE_H
#define SOURCE_HTTP_RULE_H

#include "landfall/api.h"
#include "landfall/http.h"

struct rule_input {
	const struct api_rules *rules;
	const struct api_auth *auth;
	enum api_phase phase;
	const struct http_answer *answer;
	/*
	 * Value number i of a selector in the answer; END: there are no more.
	 * reply_value() is one.
	 */
	enum rc (*value)(const void *arg, const struct api_selector *s,
		size_t i, struct str *ret);
	const void *arg;
	int64_t now; /* wall */
};

struct rule_verdict {
	bool fine; /* a success; the rest says nothing then */
	enum api_action action;
	int64_t wait; /* what the API asks for; 0: it does not say */
	const struct api_rule *rule; /* NULL: a built-in one */
};

void rule_decide(const struct rule_input *in, struct rule_verdict *ret);

/*
 * The selectors of the body that the rules may ask for, so that the answer
 * is read with them. Returns how many there are; at most max are stored.
 */
size_t rule_selectors(const struct api_rules *rules,
	const struct api_selector **ret, size_t max);

#endif
