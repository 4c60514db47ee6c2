/*
 * field-server.h - what says where a partner's server is, who we are there,
 * and how we know it.
 */
#ifndef CONFIG_FIELD_SERVER_H
#define CONFIG_FIELD_SERVER_H

#include "config/field.h"

field_reader server_read_host;
field_reader server_read_user;
field_reader server_read_host_key;
field_reader server_read_folder;
field_reader server_read_secret;

void server_release(struct sftp_config *s);

#endif
