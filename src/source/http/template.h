/*
 * template.h - what a template becomes, escaped for the place it stands in.
 *
 * A template with an undefined variable, or one whose list is empty, is not
 * there: END, and whatever it is the value of is left out. That is why the
 * first page needs no condition for its token.
 *
 * A list makes several texts, one for each element (a query key that comes
 * again, a JSON array); a template has at most one list, or nothing but it.
 */
#ifndef SOURCE_HTTP_TEMPLATE_H
#define SOURCE_HTTP_TEMPLATE_H

#include "base/jsonw.h"
#include "source/http/vars.h"

enum template_place {
	TEMPLATE_PLAIN, /* as it is: a user's name, a claim, a key */
	TEMPLATE_URL,	/* a whole URL or base; config and auth as they are */
	TEMPLATE_PATH,	/* a URL's path: variables but config: a segment each */
	TEMPLATE_QUERY, /* a query's or form's name or value */
	TEMPLATE_HEADER, /* a header's value: no control characters */
};

struct template_list {
	struct str *text;
	size_t n;
};

void template_list_release(struct template_list *l); /* overwrites */

/*
 * shown: secrets and what auth captured become "***", for logs and
 * provenance. END: left out. BAD_SOURCE: a value cannot stand there; e names
 * the variable, never its value.
 */
enum rc template_render(const struct api_template *t, const struct vars *v,
	enum template_place place, bool shown, struct template_list *ret,
	struct err *e) MUST_USE;

/* The same for what can only be one text: a list is BAD_SOURCE. */
enum rc template_one(const struct api_template *t, const struct vars *v,
	enum template_place place, bool shown, struct str *ret,
	struct err *e) MUST_USE;

/* Writes a JSON body; members and elements that are not there are left out. */
enum rc template_json(const struct api_json *json, const struct vars *v,
	bool shown, struct str *ret, struct err *e) MUST_USE;

/* Overwrites, then releases: what a template with secrets became. */
void template_forget(struct str *s);

#endif
