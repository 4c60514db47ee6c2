/*
 * job.h - what orders become. Each kind is a job (server.h) of its own file.
 */
#ifndef SOURCE_SFTP_JOB_H
#define SOURCE_SFTP_JOB_H

#include "source/sftp/server.h"

/* What is in the message is copied. file: taken over; -1: none came. */
struct job *job_list_new(const struct wire_order *o);
struct job *job_fetch_new(const struct wire_order *o, int file);
struct job *job_look_new(const struct wire_order *o);
struct job *job_move_new(const struct wire_order *o); /* and remove */
struct job *job_put_new(const struct wire_order *o, int file);

/*
 * Is what the server tells what was expected? What either does not know is
 * no difference. Otherwise why not: "size 17 instead of 12".
 */
bool job_expected(const struct sftp_attrs *expected,
	const struct sftp_attrs *found, struct str *why) MUST_USE;

#endif
