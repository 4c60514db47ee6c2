#include "source/sftp/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/io.h"

#define MARK_MAX 16384
#define KEY_BYTES 16
#define TOUCHED_MAX 100000

static const char head[] = "landfall spool 1";

static void
make_key(char key[33], const uint8_t *name, size_t len)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	uint8_t sum[HASH_LEN];

	hash_bytes(name, len, sum);
	str_add_hex(&s, sum, KEY_BYTES);
	memcpy(key, s.s, 33);
}

static void
file_name(char name[48], const char *key, const char *ext)
{
	snprintf(name, 48, "%s.%s", key, ext);
}

enum rc
spool_open(int state, const char *source, struct spool *s, struct err *e)
{
	CLEANUP(str_release) struct str path = STR_INIT;

	*s = (struct spool){.dir = -1,
		.touched = NAMES_INIT(TOUCHED_MAX, TOUCHED_MAX * 32)};
	pthread_mutex_init(&s->lock, NULL);
	if (state < 0)
		return OK;
	str_addf(&path, "spool/%s", source);
	if (durable_mkdirs_later(state, path.s, 0700, e) == OK &&
		io_open(state, path.s, O_RDONLY | O_DIRECTORY, 0, &s->dir,
			BROKEN, e) == OK)
		return OK;
	spool_close(s);
	return err_add(e, "spool");
}

void
spool_close(struct spool *s)
{
	io_drop(&s->dir);
	names_release(&s->touched);
	pthread_mutex_destroy(&s->lock);
}

enum rc
spool_temp(const struct spool *s, int *ret_fd, struct err *e)
{
	int fd = -1;

	if (s->dir >= 0)
		fd = openat(s->dir, ".",
			O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
	if (fd < 0 && (s->dir < 0 || errno == EOPNOTSUPP))
		fd = memfd_create("landfall-spool", MFD_CLOEXEC);
	if (fd < 0)
		return err_sys(e, BROKEN, errno, "spool: a file");
	*ret_fd = fd;
	return OK;
}

static void
touch(struct spool *s, const char *key)
{
	pthread_mutex_lock(&s->lock);
	if (names_put(&s->touched, key, strlen(key)) == NAMES_FULL)
		s->full = true;
	pthread_mutex_unlock(&s->lock);
}

/* ---- marks ---- */

static void
add_mark(struct str *s, const uint8_t *name, size_t len,
	const struct signature *sig)
{
	str_addf(s, "%s\nname ", head);
	str_add_percent(s, name, len, "/");
	str_addf(s, "\nsize %llu\nmtime %lld\n", (unsigned long long)sig->size,
		(long long)sig->mtime);
}

/* The mark's last line "have N sum HEX", without its end, behind what says
 * whose it is. */
static bool
read_have(const char *line, struct spooled *f)
{
	size_t digits;

	if (strncmp(line, "have ", 5) != 0)
		return false;
	line += 5;
	digits = strspn(line, "0123456789");
	return str_parse_u64(line, digits, &f->have) &&
		strncmp(line + digits, " sum ", 5) == 0 &&
		str_parse_hex(line + digits + 5, f->sum, HASH_LEN);
}

/* Has it a mark that fits? A mark that cannot be read fits nothing. */
static void
find_mark(const struct spool *s, const uint8_t *name, size_t len,
	const struct signature *sig, struct spooled *f)
{
	CLEANUP(str_release) struct str mark = STR_INIT;
	CLEANUP(str_release) struct str mine = STR_INIT;
	struct err ignored = ERR_INIT;
	char file[48];
	off_t size = lseek(f->fd, 0, SEEK_END);

	f->have = 0;
	file_name(file, f->key, "mark");
	if (size <= 0 ||
		io_read_file(s->dir, file, MARK_MAX, &mark, BROKEN, &ignored) !=
			OK)
		return;
	add_mark(&mine, name, len, sig);
	if (mark.len > 0 && mark.s[mark.len - 1] == '\n')
		str_cut(&mark, mark.len - 1);
	if (mark.len <= mine.len || memcmp(mark.s, mine.s, mine.len) != 0 ||
		!read_have(mark.s + mine.len, f) || f->have > (uint64_t)size ||
		f->have > sig->size)
		f->have = 0;
}

enum rc
spool_mark(struct spool *s, const struct spooled *f, const uint8_t *name,
	size_t len, const struct signature *sig, uint64_t have,
	const uint8_t sum[HASH_LEN], struct err *e)
{
	CLEANUP(str_release) struct str mark = STR_INIT;
	char file[48];

	if (!f->named)
		return OK;
	add_mark(&mark, name, len, sig);
	str_addf(&mark, "have %llu sum ", (unsigned long long)have);
	str_add_hex(&mark, sum, HASH_LEN);
	str_addc(&mark, '\n');
	file_name(file, f->key, "mark");
	if (durable_replace_later(s->dir, file, mark.s, mark.len, 0600, e) !=
		OK)
		return err_add(e, "spool");
	return OK;
}

/* ---- files ---- */

enum rc
spool_take(struct spool *s, const uint8_t *name, size_t len,
	const struct signature *sig, struct spooled *ret, struct err *e)
{
	char file[48];

	*ret = (struct spooled){.fd = -1};
	if (s->dir < 0 || sig->size < SPOOL_NAMED_MIN)
		return spool_temp(s, &ret->fd, e);
	ret->named = true;
	make_key(ret->key, name, len);
	touch(s, ret->key);
	file_name(file, ret->key, "part");
	if (io_open(s->dir, file, O_RDWR | O_CREAT | O_NOFOLLOW, 0600, &ret->fd,
		    BROKEN, e) != OK)
		return err_add(e, "spool");
	find_mark(s, name, len, sig, ret);
	return ret->have > 0 ? OK : spool_begin_again(ret, e);
}

enum rc
spool_begin_again(struct spooled *f, struct err *e)
{
	f->have = 0;
	if (ftruncate(f->fd, 0) < 0)
		return err_sys(e, BROKEN, errno, "spool: truncate");
	return OK;
}

void
spool_leave(struct spooled *f)
{
	io_drop(&f->fd);
}

static void
remove_key(const struct spool *s, const char *key)
{
	char file[48];

	file_name(file, key, "mark");
	(void)unlinkat(s->dir, file, 0);
	file_name(file, key, "part");
	(void)unlinkat(s->dir, file, 0);
}

void
spool_forget(struct spool *s, const uint8_t *name, size_t len)
{
	char key[33];

	if (s->dir < 0)
		return;
	make_key(key, name, len);
	remove_key(s, key);
}

void
spool_keep(struct spool *s, const uint8_t *name, size_t len)
{
	char key[33];

	make_key(key, name, len);
	touch(s, key);
}

/* Was the file's key taken? What is not one of our names goes too. */
static bool
is_touched(const struct spool *s, const char *file)
{
	return names_find(&s->touched, file, strcspn(file, ".")) != NAMES_FULL;
}

void
spool_sweep(struct spool *s)
{
	struct dirent *entry;
	DIR *dir;
	int fd;

	if (s->dir < 0 || s->full)
		return;
	fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (dir == NULL) {
		io_drop(&fd);
		return;
	}
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.' && !is_touched(s, entry->d_name))
			(void)unlinkat(s->dir, entry->d_name, 0);
	closedir(dir);
}
