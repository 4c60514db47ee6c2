#!/bin/sh
# Each cipher that a partner's server may insist on, with and without a MAC
# that covers what was encrypted: what comes is what was there.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/scenario/partners.sh"

# Lengths around the blocks of a cipher, and the packets of SSH and SFTP.
mkdir -p srv/files
for n in 1 15 16 17 32767 32768 32769 261120 700001; do
	head -c $n /dev/urandom >srv/files/"$n"
done
(cd srv/files && sha256sum -- *) | cut -d' ' -f1 | sort >wanted
old srv/files/*

# by CIPHER MAC
by()
{
	start_sshd srv --set "Ciphers $1" --set "MACs $2"
	user=$(cat srv/user)
	lake "$1-$2"
	partner acme "$port" 'key: {file: ../srv/ed25519}' \
		"host_key: \"$(pin_of srv)\"" >>"$1-$2/landfall.yaml"
	expect_status "$1, $2" 0 run "$1-$2"
	"$LANDFALL" ls -c "$1-$2/landfall.yaml" --json |
		sed 's/.*"bytes_sha256":"\([0-9a-f]*\)".*/\1/' | sort >found
	expect "$1, $2: whole" cmp wanted found
	stop_server srv
}

by aes128-gcm@openssh.com hmac-sha2-256
by aes256-gcm@openssh.com hmac-sha2-256
by aes128-ctr hmac-sha2-256-etm@openssh.com
by aes128-ctr hmac-sha2-512
by aes256-ctr hmac-sha2-256
