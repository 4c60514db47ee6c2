/*
 * What an SFTP child and its supervisor take from each other, and the child
 * from a server: the first byte chooses. Nothing lies outside of what came,
 * no name leaves its folder, and what was taken is the same when it is put
 * and taken again.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "source/sftp/auth.h"
#include "source/sftp/packet.h"
#include "source/sftp/wire.h"

static struct message m, back;
static struct wire_texts texts, texts_back;

static void
check(bool good)
{
	if (!good)
		abort();
}

static void
order(void)
{
	struct wire_order o, r;

	if (!wire_take_order(&m, &o))
		return;
	check(o.path_len <= SFTP_PATH_MAX && o.path >= m.body &&
		o.path + o.path_len <= m.body + m.len);
	wire_put_order(&back, &o);
	check(back.len == m.len);
	check(wire_take_order(&back, &r) && r.id == o.id &&
		r.to_len == o.to_len && r.size == o.size);
}

static void
event(void)
{
	struct sftp_event ev, r;

	if (!wire_take_event(&m, &ev, &texts))
		return;
	check(ev.type != SFTP_ITEM && ev.slot < SFTP_CONNECTIONS_MAX &&
		ev.fault < SFTP_FAULTS && ev.kind <= SFTP_TYPE_UNKNOWN);
	wire_put_event(&back, &ev);
	check(wire_take_event(&back, &r, &texts_back) && r.id == ev.id &&
		strcmp(r.text, ev.text) == 0);
}

static void
items(void)
{
	struct sftp_event ev = {0};

	message_take_u64(&m);
	while (wire_take_item(&m, &ev) == OK)
		check(ev.name_len > 0 && ev.name >= m.body &&
			ev.name + ev.name_len <= m.body + m.len &&
			memchr(ev.name, '\0', ev.name_len) == NULL &&
			ev.name[0] != '/');
}

static void
rest(uint8_t which)
{
	struct wire_options o;
	struct wire_connect c;
	struct auth a;

	if (which == 0) {
		if (wire_take_options(&m, &o))
			check(o.connections <= SFTP_CONNECTIONS_MAX);
	} else if (which == 1) {
		if (wire_take_connect(&m, &c))
			check(c.slot < SFTP_CONNECTIONS_MAX);
	} else {
		auth_init(&a, 0);
		if (auth_take(&a, &m))
			check(a.n <= SFTP_CREDENTIALS_MAX);
		auth_release(&a);
	}
}

static void
packets(const uint8_t *p, size_t n)
{
	struct sftp_attrs attrs;
	struct packet k;
	size_t used, len;

	while (packet_take(p, n, &k, &used) == OK) {
		check(used <= n && k.p + k.len == p + used);
		for (uint32_t i = packet_u32(&k); i > 0 && !k.bad; i--) {
			const uint8_t *s = packet_bytes(&k, &len);

			check(s >= k.p && s + len <= k.p + k.len);
			packet_attrs(&k, &attrs);
			(void)packet_type_of(&attrs, s, len);
			(void)packet_fault(i, s, len);
		}
		check(!packet_end(&k) || k.at == k.len);
		p += used;
		n -= used;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (n == 0 || n - 1 > MESSAGE_MAX)
		return 0;
	message_begin(&m, WIRE_ORDER);
	m.len = (uint32_t)(n - 1);
	memcpy(m.body, p + 1, m.len);
	switch (p[0] % 7) {
	case 0:
		order();
		break;
	case 1:
		event();
		break;
	case 2:
		items();
		break;
	case 3:
		packets(p + 1, n - 1);
		break;
	default:
		rest((uint8_t)(p[0] % 7 - 4));
	}
	return 0;
}
