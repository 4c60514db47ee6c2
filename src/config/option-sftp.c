/*
 * `sftp:`, a folder on a partner's server.
 */
#include "config/option-part.h"

static const char *const symlink_names[] = {
	[SYMLINKS_IGNORE] = "ignore",
	[SYMLINKS_FOLLOW] = "follow",
	NULL,
};

static const char *const order_names[] = {
	[ORDER_LISTED] = "listed",
	[ORDER_LARGE_FIRST] = "large-first",
	NULL,
};

const char *const sftp_widening_names[] = {
	"sha1-kex", "sha1-keys", "cbc", "sha1-macs", NULL};

static const struct option rows[] = {
	{
		.path = "sources.*.sftp",
		.type = OPTION_BLOCK,
		.help = "Deliveries are files on a partner's SFTP server.",
	},
	{
		.path = "sources.*.sftp.host",
		.type = OPTION_HOST,
		SOURCE(sftp.host),
		.help = "The server. Required in sftp. Its IPv6 and IPv4 "
			"addresses are tried in the order of the resolver.",
	},
	{
		.path = "sources.*.sftp.port",
		.type = OPTION_COUNT,
		SOURCE(sftp.port),
		.min = 1,
		.max = 65535,
		.fallback = "22",
		.help = "Its port.",
	},
	{
		.path = "sources.*.sftp.user",
		.type = OPTION_USER,
		SOURCE(sftp.user),
		.help = "Who we are there. Required in sftp.",
	},
	{
		.path = "sources.*.sftp.key",
		.type = OPTION_SECRET,
		SOURCE(sftp.key),
		.help = "The private key (Ed25519, ECDSA or RSA; OpenSSH or "
			"PEM format), as a secret: where it is, never itself. "
			"Of key, agent and password, those that are there are "
			"tried in this order.",
	},
	{
		.path = "sources.*.sftp.passphrase",
		.type = OPTION_SECRET,
		SOURCE(sftp.passphrase),
		.help = "Opens the key, where it is encrypted.",
	},
	{
		.path = "sources.*.sftp.agent",
		.type = OPTION_PATH,
		SOURCE(sftp.agent),
		.help = "The socket of an ssh-agent, which signs with the "
			"keys it holds.",
	},
	{
		.path = "sources.*.sftp.password",
		.type = OPTION_SECRET,
		SOURCE(sftp.password),
		.help = "The password, also where the server asks for it "
			"keyboard-interactively.",
	},
	{
		.path = "sources.*.sftp.host_key",
		.type = OPTION_HOST_KEY,
		SOURCE(sftp.host_key),
		.help = "The server's key, by its fingerprint; several while "
			"the partner changes it. This or known_hosts is "
			"required: a key that nobody vouches for is never "
			"trusted, and one that has changed stops the source. "
			"`landfall check --connect` prints the one that the "
			"server shows: compare it with what the partner says.",
	},
	{
		.path = "sources.*.sftp.known_hosts",
		.type = OPTION_PATH,
		SOURCE(sftp.known_hosts),
		.help = "A file as in sshd(8) that holds the server's key. "
			"Hashed names, ports and @revoked are understood, "
			"certificates are not.",
	},
	{
		.path = "sources.*.sftp.path",
		.type = OPTION_FOLDER,
		SOURCE(sftp.path),
		.fallback = "\"\"",
		.help = "The folder; without a slash in front it begins in "
			"the folder of the login.",
	},
	{
		.path = "sources.*.sftp.recursive",
		.type = OPTION_BOOL,
		SOURCE(sftp.recursive),
		.fallback = "true",
		.help = "Look into folders too.",
	},
	{
		.path = "sources.*.sftp.depth",
		.type = OPTION_COUNT,
		SOURCE(sftp.depth),
		.min = 1,
		.max = 64,
		.fallback = "16",
		.help = "So many folders deep. What lies deeper is told as "
			"trouble of the look.",
	},
	{
		.path = "sources.*.sftp.symlinks",
		.type = OPTION_CHOICE,
		SOURCE(sftp.symlinks),
		.names = symlink_names,
		.fallback = "ignore",
		.help = "follow: a link to a file is a file. Links to folders "
			"are never followed.",
	},
	{
		.path = "sources.*.sftp.connections",
		.type = OPTION_COUNT,
		SOURCE(sftp.connections),
		.min = 1,
		.max = 8,
		.fallback = "2",
		.help = "At most so many at once. The second one comes when "
			"there is more to fetch than one file; a partner who "
			"allows one gets one.",
	},
	{
		.path = "sources.*.sftp.max_rate",
		.type = OPTION_SIZE,
		SOURCE(sftp.max_rate),
		.max = TIB,
		.fallback = "0",
		.help = "Bytes of files in a second, over all connections; 0 "
			"is no limit.",
	},
	{
		.path = "sources.*.sftp.order",
		.type = OPTION_CHOICE,
		SOURCE(sftp.order),
		.names = order_names,
		.fallback = "listed",
		.help = "Which files come first: by name, as they are listed, "
			"or the largest of what was listed.",
	},
	{
		.path = "sources.*.sftp.timeouts",
		.type = OPTION_BLOCK,
		.help = "How long to wait for the partner.",
	},
	{
		.path = "sources.*.sftp.timeouts.connect",
		.type = OPTION_DURATION,
		SOURCE(sftp.connect_timeout),
		.min = SECONDS,
		.max = 600 * SECONDS,
		.fallback = "30s",
		.help = "For the name and the connection, all addresses "
			"together.",
	},
	{
		.path = "sources.*.sftp.timeouts.auth",
		.type = OPTION_DURATION,
		SOURCE(sftp.auth_timeout),
		.min = SECONDS,
		.max = 600 * SECONDS,
		.fallback = "60s",
		.help = "From there until we are in.",
	},
	{
		.path = "sources.*.sftp.timeouts.idle",
		.type = OPTION_DURATION,
		SOURCE(sftp.idle_timeout),
		.min = SECONDS,
		.max = 3600 * SECONDS,
		.fallback = "60s",
		.help = "For an answer that is due.",
	},
	{
		.path = "sources.*.sftp.keepalive",
		.type = OPTION_DURATION,
		SOURCE(sftp.keepalive),
		.min = SECONDS,
		.max = 3600 * SECONDS,
		.fallback = "30s",
		.help = "After so much quiet a connection that waits says "
			"that it is there.",
	},
	{
		.path = "sources.*.sftp.algorithms",
		.type = OPTION_FLAGS,
		SOURCE(sftp.algorithms),
		.names = sftp_widening_names,
		.fallback = "[]",
		.help = "What an old server needs beyond today's algorithms; "
			"each look says so. sha1-kex: "
			"diffie-hellman-group*-sha1; sha1-keys: ssh-rsa; cbc: "
			"aes-cbc and 3des; sha1-macs: hmac-sha1.",
	},
	{
		.path = "sources.*.sftp.retry",
		.type = OPTION_BLOCK,
		.help = "What is done about a network that fails. Who is "
			"refused (user, password, key) is not tried again by "
			"itself sooner than after an hour.",
	},
	{
		.path = "sources.*.sftp.retry.attempts",
		.type = OPTION_COUNT,
		SOURCE(sftp.retry.attempts),
		.min = 1,
		.max = 1000,
		.fallback = "5",
		.help = "So many times in a row, without a byte in between, "
			"within one look. Then the look has failed, and the "
			"next one goes on where this one was.",
	},
	{
		.path = "sources.*.sftp.retry.base",
		.type = OPTION_DURATION,
		SOURCE(sftp.retry.base),
		.min = SECONDS / 100,
		.max = 3600 * SECONDS,
		.fallback = "1s",
		.help = "The first wait is a random time up to this, each "
			"further one up to twice as much as the one before.",
	},
	{
		.path = "sources.*.sftp.retry.ceiling",
		.type = OPTION_DURATION,
		SOURCE(sftp.retry.ceiling),
		.min = SECONDS / 100,
		.max = 86400 * SECONDS,
		.fallback = "5m",
		.help = "Never up to more than this; also between looks that "
			"fail.",
	},
};

const struct option_part option_sftp = {rows, ARRAY_LEN(rows)};
