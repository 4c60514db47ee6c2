/*
 * A server that answers anything, to one listing, one file and one receipt at
 * a time: link.h without SSH, whose bytes are the input. Requests are numbered
 * by the child, so an answer names the place of its request instead:
 *
 *	type u8 | which u8 | length u16 | body
 *
 * which: of the requests that have no answer yet; 255: the body is sent as it
 * is. Each job ends exactly once, whatever comes, and memory stays bounded.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "fuzz.h"
#include "source/sftp/job.h"

enum { JOBS = 3, IDS = 4096 };

static const uint8_t *input;
static size_t left;
static uint32_t ids[IDS];
static unsigned n_ids;
static unsigned done[JOBS + 1];

static void
check(bool good)
{
	if (!good)
		abort();
}

/* ---- link.h ---- */

void
link_open(struct link *l, int fd, unsigned old, const char *key_types,
	uint32_t window, int64_t deadline)
{
	(void)old, (void)key_types, (void)window, (void)deadline;
	*l = (struct link){.state = LINK_UP, .fd = fd, .e = ERR_INIT};
}

void
link_close(struct link *l)
{
	*l = (struct link){.state = LINK_NONE, .fd = -1};
}

const uint8_t *
link_key(const struct link *l, size_t *ret_len)
{
	*ret_len = 3;
	return l != NULL ? (const uint8_t *)"key" : NULL;
}

void
link_agreed(const struct link *l, struct str *ret)
{
	(void)l;
	str_add(ret, "nothing");
}

const char *
link_banner(const struct link *l)
{
	return l != NULL ? "fuzz" : "";
}

void
link_login(struct link *l, int64_t deadline)
{
	l->deadline = deadline;
}

void
link_step(struct link *l)
{
	(void)l;
}

void
link_fail(struct link *l, enum sftp_fault f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(l->e.text, sizeof(l->e.text), fmt, ap);
	va_end(ap);
	l->state = LINK_DEAD;
	l->fault = f;
}

size_t
link_read(struct link *l, uint8_t *p, size_t n)
{
	size_t len, head;
	unsigned which;

	if (l->state != LINK_UP || left < 4)
		return 0;
	which = input[1];
	len = get_le16(input + 2);
	if (len > left - 4)
		len = left - 4;
	head = which == 255 ? 0 : 9;
	if (len + head > n)
		return 0;
	if (head > 0) {
		put_be32(p, (uint32_t)len + 5);
		p[4] = input[0];
		put_be32(p + 5, n_ids > 0 ? ids[which % n_ids] : 0);
		if (n_ids > 0)
			ids[which % n_ids] = ids[n_ids - 1], n_ids--;
	}
	memcpy(p + head, input + 4, len);
	input += 4 + len;
	left -= 4 + len;
	return head + len;
}

bool
link_room(struct link *l, size_t n)
{
	return l->state == LINK_UP && n < LINK_OUT && n_ids < IDS / 2;
}

void
link_write(struct link *l, const void *p, size_t n)
{
	const uint8_t *packet = p;

	check(l->state != LINK_NONE && n >= 9);
	check(get_be32(packet) == n - 4 && n <= PACKET_OUT_MAX);
	check(n_ids < IDS);
	if (packet[4] == PACKET_READ)
		check(get_be32(packet + n - 4) - 1u < 128u << 10);
	if (packet[4] != PACKET_INIT)
		ids[n_ids++] = get_be32(packet + 5);
}

short
link_events(const struct link *l)
{
	return l != NULL ? 1 : 0;
}

/* ---- one conversation ---- */

/* What the child says is what its supervisor takes. */
static void
hear(struct say *say)
{
	static struct message m;
	static struct wire_texts texts;
	struct sftp_event ev;

	say->fd = -1; /* nothing is sent: the queue is read here */
	while (say_next(say, &m)) {
		if (m.type == WIRE_ITEMS) {
			ev.id = message_take_u64(&m);
			while (wire_take_item(&m, &ev) == OK)
				check(ev.kind != SFTP_TYPE_DIRECTORY);
			check(message_end(&m));
			continue;
		}
		check(wire_take_event(&m, &ev, &texts));
		if (ev.type == SFTP_DONE) {
			check(ev.id >= 1 && ev.id <= JOBS);
			check(done[ev.id]++ == 0);
		}
	}
}

static int
file(const char *text)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	check(fd >= 0 && write(fd, text, strlen(text)) >= 0);
	return fd;
}

static void
start(struct server *s, uint8_t how)
{
	const uint8_t *path = (const uint8_t *)"in/a";
	struct wire_order list = {.id = 1,
				  .kind = WIRE_LIST,
				  .path = path,
				  .path_len = 2,
				  .depth = how & 3,
				  .flag = (how & 4) != 0,
				  .max_names = 2000},
			  fetch = {.id = 2,
				  .kind = WIRE_FETCH,
				  .path = path,
				  .path_len = 4,
				  .max_size = 1 << 20,
				  .expected = {.has_size = (how & 8) != 0,
					  .size = 40000}},
			  put = {.id = 3,
				  .kind = how & 16 ? WIRE_PUT : WIRE_MOVE,
				  .path = path,
				  .path_len = 4,
				  .to = (const uint8_t *)"out/b/c",
				  .to_len = 7,
				  .flag = true,
				  .size = 7};

	server_add(s, job_list_new(&list));
	server_add(s, job_fetch_new(&fetch, file("")));
	server_add(s,
		how & 16 ? job_put_new(&put, file("receipt"))
			 : job_move_new(&put));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct say say;
	static struct shared shared;
	static struct server s;
	struct wire_connect c = {0};

	if (n < 1 || n > 1 << 20)
		return 0;
	input = p + 1;
	left = n - 1;
	n_ids = 0;
	memset(done, 0, sizeof(done));
	say_init(&say, -1);
	shared = (struct shared){.say = &say,
		.options = {1, 32, 0, 0, 1u << 30, 1u << 30, 1u << 30},
		.flight_max = 1 << 20,
		.now = 1};
	server_init(&s, &shared, 0);
	server_open(&s, -1, &c);
	s.up = true;
	start(&s, p[0]);
	while (left >= 4 && s.link.state != LINK_NONE) {
		size_t before = left;

		server_step(&s);
		hear(&say);
		shared.now++;
		if (left == before)
			break;
	}
	server_close(&s, SFTP_CANCELLED, "the end");
	hear(&say);
	for (unsigned i = 1; i <= JOBS; i++)
		check(done[i] == 1);
	say_release(&say);
	return 0;
}
