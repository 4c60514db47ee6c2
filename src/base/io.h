/*
 * io.h - the system call seam: plain calls made whole.
 *
 * Each function retries EINTR and short transfers, and turns errno into a
 * struct err with the code its caller passes: the same failed read is
 * BAD_ITEM on a partner's file and BROKEN on our own.
 *
 * A descriptor belongs to whoever opened it; io_close sets it to -1.
 */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <fcntl.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

/* Up to n bytes; *ret_got < n only at the end of the file. */
enum rc io_read(int fd, void *p, size_t n, size_t *ret_got, enum rc code,
	struct err *e) MUST_USE;
enum rc io_pread(int fd, void *p, size_t n, uint64_t offset, size_t *ret_got,
	enum rc code, struct err *e) MUST_USE;

/* All n bytes. */
enum rc
io_write(int fd, const void *p, size_t n, enum rc code, struct err *e) MUST_USE;

/* O_CLOEXEC is added. dir may be AT_FDCWD. */
enum rc io_open(int dir, const char *path, int flags, mode_t mode, int *ret_fd,
	enum rc code, struct err *e) MUST_USE;

/*
 * Close and look: a network filesystem reports a lost write only here. The
 * descriptor is gone either way. For written files; others use io_drop.
 */
enum rc io_close(int *fd, enum rc code, struct err *e) MUST_USE;

/* Close what was only read, or is being abandoned. -1 is fine. */
void io_drop(int *fd);

/*
 * A whole small file into s, at most max bytes. BAD_ITEM when larger; a
 * missing file is END.
 */
enum rc io_read_file(int dir, const char *path, size_t max, struct str *s,
	enum rc code, struct err *e) MUST_USE;

#endif
