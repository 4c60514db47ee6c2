#include "daemon/said.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/io.h"

#define HEAD 8			 /* of a piece: its type and its length */
#define PIECE (MESSAGE_MAX - 4)	 /* what a message holds, and its length */
#define STEP (UINT64_C(1) << 20) /* how often to see whether there is room */

void
said_init(struct said *s, int spool, struct room *room)
{
	*s = (struct said){
		.spool = spool, .room = room, .fd = -1, .why = STR_INIT};
}

void
said_release(struct said *s)
{
	io_drop(&s->fd);
	str_release(&s->why);
}

/* ---- what is said ---- */

/* May it grow by n? END: no; why says why. */
static enum rc
make_room(struct said *s, uint64_t n, struct err *e)
{
	if (s->size + n > SAID_MOST) {
		str_add(&s->why, "there were more than ");
		str_add_size(&s->why, SAID_MOST);
		str_add(&s->why, " to be heard");
		return END;
	}
	if (s->fd < 0 &&
		io_open(s->spool, ".", O_TMPFILE | O_RDWR, 0600, &s->fd, BROKEN,
			e) != OK)
		return e->code;
	if (s->size % STEP + n < STEP)
		return OK;
	return room_spool(s->room, STEP, &s->why, e);
}

static enum rc
put(struct said *s, enum order_wire_type where, const char *p, size_t n,
	struct err *e)
{
	uint8_t head[HEAD];
	enum rc rc = make_room(s, HEAD + n, e);

	if (rc != OK)
		return rc;
	put_le32(head, where);
	put_le32(head + 4, (uint32_t)n);
	if (io_write(s->fd, head, HEAD, BROKEN, e) != OK ||
		io_write(s->fd, p, n, BROKEN, e) != OK)
		return e->code;
	s->size += HEAD + n;
	return OK;
}

void
said_add(struct said *s, enum order_wire_type where, const char *line)
{
	CLEANUP(str_release) struct str text = STR_INIT;
	struct err e = ERR_INIT;
	enum rc rc = s->left_out > 0 ? END : OK;

	str_add(&text, line);
	str_addc(&text, '\n');
	for (size_t at = 0; at < text.len && rc == OK; at += PIECE)
		rc = put(s, where, text.s + at,
			text.len - at < PIECE ? text.len - at : PIECE, &e);
	if (rc == OK)
		return;
	s->left_out++;
	if (rc != END)
		str_addf(&s->why, "spool: %s", e.text);
}

void
said_end(struct said *s, uint64_t status)
{
	s->ends = true;
	s->status = status;
}

/* ---- what is heard ---- */

static enum rc
next_piece(struct said *s, struct message *m, struct err *e)
{
	uint8_t head[HEAD];
	char text[MESSAGE_MAX];
	uint32_t n;
	size_t got;

	if (io_pread(s->fd, head, HEAD, s->heard, &got, BROKEN, e) != OK)
		return e->code;
	n = get_le32(head + 4);
	if (got < HEAD || n > PIECE)
		return err_set(e, BROKEN, "it does not hold what was written");
	if (io_pread(s->fd, text, n, s->heard + HEAD, &got, BROKEN, e) != OK)
		return e->code;
	if (got < n)
		return err_set(e, BROKEN, "it does not hold what was written");
	s->next = s->heard + HEAD + n;
	message_begin(m, get_le32(head));
	message_put_bytes(m, text, n);
	return OK;
}

/* Nothing is lost without a word. */
static void
put_left_out(const struct said *s, struct message *m)
{
	CLEANUP(str_release) struct str text = STR_INIT;

	str_addf(&text,
		"landfall: lines left out here: %" PRIu64
		": %s; the daemon's log has what landed\n",
		s->left_out, s->why.s);
	message_begin(m, ORDER_WIRE_TALK);
	message_put_text(m, text.s);
}

bool
said_next(struct said *s, struct message *m)
{
	struct err e = ERR_INIT;

	if (s->heard < s->size) {
		if (next_piece(s, m, &e) == OK)
			return true;
		/* Of how many lines it was, nobody knows now. */
		s->left_out++;
		str_addf(&s->why, "spool: %s", e.text);
		s->heard = s->size;
	}
	if (!s->ends || s->over)
		return false;
	if (s->left_out > 0) {
		put_left_out(s, m);
		return true;
	}
	message_begin(m, ORDER_WIRE_END);
	message_put_u64(m, s->status);
	return true;
}

void
said_heard(struct said *s)
{
	if (s->heard < s->size)
		s->heard = s->next;
	else if (s->left_out > 0)
		s->left_out = 0;
	else
		s->over = true;
}
