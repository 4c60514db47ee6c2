/*
 * known_hosts files and keys as an attacker would write them. The first
 * byte says how long the key is that is asked for, the rest is the file.
 */
#include <stdlib.h>
#include <string.h>

#include "source/sftp/host-key.h"
#include "source/sftp/known-hosts.h"

#include "fuzz.h"

static void
check(bool holds)
{
	if (!holds)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct known_answer a = KNOWN_ANSWER_INIT, b = KNOWN_ANSWER_INIT;
	struct str types = STR_INIT;
	struct known_hosts k = {.host = "sftp.example", .port = 22};
	const char *type;
	size_t n, type_len;

	if (size == 0)
		return 0;
	n = data[0] < size - 1 ? data[0] : size - 1;
	k.text = (const char *)data + 1 + n;
	k.len = size - 1 - n;
	if (host_key_type(data + 1, n, &type, &type_len))
		check(type_len > 0 && type_len + 4 <= n);
	known_hosts_ask(&k, data + 1, n, &a);
	check(a.verdict != KNOWN_MATCH || a.line > 0);
	check(a.verdict != KNOWN_REVOKED || a.line > 0);
	check(a.verdict != KNOWN_OTHER || a.others.len > 0);
	check((a.malformed == 0) == (a.malformed_at == 0));
	known_hosts_types(&k, &types);
	/* A key that no file can hold is known nowhere. */
	known_hosts_ask(&k, data, 0, &b);
	check(b.verdict == KNOWN_NONE || b.verdict == KNOWN_OTHER);
	str_release(&types);
	str_release(&a.others);
	str_release(&b.others);
	return 0;
}
