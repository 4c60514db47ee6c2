/*
 * field-remote.h - what says where a partner's server is, who we are there,
 * and how we know it.
 */
#ifndef CONFIG_FIELD_REMOTE_H
#define CONFIG_FIELD_REMOTE_H

#include "config/field.h"

field_reader remote_read_host;
field_reader remote_read_user;
field_reader remote_read_host_key;
field_reader remote_read_folder;
field_reader remote_read_secret;

void remote_release(struct sftp_config *s);

#endif
