/*
 * A source that polls an API: its keys stand here so that they are known;
 * profile-row.c says what is in them and profile.c reads them.
 */
#include "config/option-part.h"

#define ROW(key, text) \
	{ \
		.path = "sources.*." key, .type = OPTION_PROFILE, .help = text \
	}
#define SEE "See landfall-profile(5)."

static const struct option rows[] = {
	ROW("profile",
		"Deliveries come from an API that is polled. The name of a "
		"shipped profile, or the path of a profile's file, with a "
		"slash in it. Keys given here override those of the profile; "
		"without a profile they are all there is."),
	ROW("secrets",
		"Names, and where each secret is: {credential: NAME}, {file: "
		"PATH}, {env: NAME} or {command: [PROGRAM, ARGUMENT]}."),
	ROW("config", "What the profile asks for: names and values."),
	ROW("streams",
		"The streams that are wanted: a list of names, or a mapping "
		"of names to what is different, such as {start: "
		"\"2026-01-01\"}. Without it: all of the profile."),
	ROW("base_url", "Where the API is."),
	ROW("allow_plaintext",
		"true: http to other machines, where anybody on the way can "
		"read the credentials."),
	ROW("ca_file",
		"Certificates (PEM) that are trusted to have signed the "
		"server's, instead of the system's. A path that is not "
		"absolute begins where the configuration is."),
	ROW("allow_hosts",
		"Hosts that links and redirects may lead to; they get no "
		"credentials."),
	ROW("auth", SEE),
	ROW("headers", SEE),
	ROW("rate_limits", SEE),
	ROW("errors", SEE),
	ROW("retry", SEE),
	ROW("pagination", SEE),
	ROW("decode", SEE),
	ROW("max_body", SEE),
	ROW("max_record", SEE),
	ROW("version", SEE),
};

const struct option_part option_api = {rows, ARRAY_LEN(rows)};
