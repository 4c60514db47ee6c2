#include "config/field-remote.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/secret.h"
#include "landfall/fingerprint.h"

#define HOST_LEN 253 /* RFC 1035 section 2.3.4 */
#define USER_LEN 255

static void
replace(char **at, const char *text)
{
	free(*at);
	*at = mem_strdup(text);
}

static bool
is_host(const char *text)
{
	struct in6_addr six;

	if (strchr(text, ':') != NULL)
		return inet_pton(AF_INET6, text, &six) == 1;
	if (*text == '-' || *text == '.')
		return false;
	return strspn(text,
		       "abcdefghijklmnopqrstuvwxyz"
		       "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") ==
		strlen(text);
}

bool
remote_read_host(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	if (n->len == 0 || n->len > HOST_LEN)
		return field_expected(o, c, n);
	if (strstr(n->text, "://") != NULL || strchr(n->text, '/') != NULL)
		return field_wrong(
			o, c, n, "is a URL: write the host alone, beside path");
	if (strchr(n->text, '@') != NULL)
		return field_wrong(o, c, n, "names a user: that is user");
	if (!is_host(n->text))
		return field_wrong(o, c, n,
			"is no host name and no address (a port is port, an "
			"IPv6 address stands without brackets)");
	replace(field, n->text);
	return true;
}

bool
remote_read_user(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	if (n->len == 0)
		return field_expected(o, c, n);
	if (n->len > USER_LEN)
		return field_wrong(o, c, n, "has more than 255 bytes");
	for (size_t i = 0; i < n->len; i++)
		if ((uint8_t)n->text[i] < ' ' || n->text[i] == 0x7f)
			return field_wrong(
				o, c, n, "holds a control character");
	replace(field, n->text);
	return true;
}

/* Bytes as the server takes them, without "." and what ends in "/". */
bool
remote_read_folder(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	char **at = field;

	if (n->text[0] == '~')
		return field_wrong(o, c, n,
			"begins with ~: a path without a slash in front "
			"begins in the folder of the login");
	for (const char *text = n->text; *text != '\0';) {
		size_t len = strcspn(text, "/");

		if (len == 2 && memcmp(text, "..", 2) == 0)
			return field_wrong(o, c, n,
				"has \"..\" in it: write the path without");
		if (text == n->text && len == 0)
			str_addc(&path, '/');
		if (len > 0 && !(len == 1 && *text == '.')) {
			if (path.len > 0 && path.s[path.len - 1] != '/')
				str_addc(&path, '/');
			str_addn(&path, text, len);
		}
		text += len + (text[len] == '/');
	}
	free(*at);
	*at = mem_strdup(path.s);
	return true;
}

static bool
check_fingerprint(const struct option *o, const struct field_context *c,
	const struct yaml_node *n)
{
	if (n->kind == YAML_WRONG)
		return false;
	if (n->kind != YAML_SCALAR || strlen(n->text) != n->len)
		return field_expected(o, c, n);
	if (host_key_is_fingerprint(n->text))
		return true;
	if (strncmp(n->text, "MD5:", 4) == 0)
		return field_wrong(o, c, n,
			"is an MD5 fingerprint, which proves nothing: ask for "
			"the SHA256 one");
	return field_expected(o, c, n);
}

bool
remote_read_host_key(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	const struct yaml_node *first = n->kind == YAML_SCALAR ? n : n->first;
	struct patterns p = {.n = 0}, *at = field;
	bool right = true;

	if (n->kind != YAML_SCALAR && (n->kind != YAML_SEQUENCE || n->n == 0))
		return field_expected(o, c, n);
	p.glob = mem_array(n->n + 1, sizeof(*p.glob));
	for (const struct yaml_node *i = first; i != NULL;
		i = i == n ? NULL : i->next) {
		if (check_fingerprint(o, c, i))
			p.glob[p.n++] = mem_strdup(i->text);
		else
			right = false;
	}
	if (!right) {
		field_release_patterns(&p);
		return false;
	}
	field_release_patterns(at);
	*at = p;
	return true;
}

bool
remote_read_secret(const struct option *o, const struct field_context *c,
	const struct yaml_node *n, void *field)
{
	struct secret s, *at = field;

	if (!secret_parse(&s, n, c->dir, option_name(o), c->report))
		return false;
	secret_release(at);
	*at = s;
	return true;
}

void
remote_release(struct sftp_config *s)
{
	free(s->host);
	free(s->user);
	secret_release(&s->key);
	secret_release(&s->passphrase);
	secret_release(&s->password);
	free(s->agent);
	field_release_patterns(&s->host_key);
	free(s->known_hosts);
	free(s->path);
}
