#!/bin/sh
# A partner whose server is from another time: it is not spoken to unless the
# source says so, and then not without a word.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/scenario/running.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/scenario/partners.sh"

start_sshd srv --set 'KexAlgorithms diffie-hellman-group14-sha1' \
	--set 'HostKeyAlgorithms ssh-rsa' --set 'Ciphers aes128-cbc' \
	--set 'MACs hmac-sha1'
user=$(cat srv/user)
echo 1 >srv/files/a.csv
old srv/files/a.csv
lake lake
partner acme "$port" 'key: {file: ../srv/ed25519}' \
	"host_key: \"$(pin_of srv rsa)\"" -- 'schedule: {every: 1h}' \
	>>lake/landfall.yaml
expect_status 'it is refused' 3 check lake
for text in 'no key exchange in common: the server has diffie-hellman-group14-sha1[^ ]*, offered is curve25519-sha256,' \
	'no host key in common: the server has ssh-rsa, offered is ssh-ed25519,' \
	'no cipher in common: the server has aes128-cbc, offered is aes128-' \
	'no MAC in common: the server has hmac-sha1, offered is hmac-sha2-256' \
	'write algorithms: \[sha1-kex, sha1-keys, cbc, sha1-macs\]'; do
	expect "what both have is told: ${text%%:*}" grep -q "$text" check.out
done
expect_same 'it is tried once' 1 "$(grep -c 'no matching' srv/log)"
expect_status 'a pass says so' 3 run lake

# ---- as the error says ----
sed -i 's/user: .*/&\n      algorithms: [sha1-kex, cbc, sha1-macs]/' \
	lake/landfall.yaml
expect_status 'less than it says is not enough' 3 check lake
expect 'and the rest is told' \
	grep -q 'algorithms: \[sha1-kex, sha1-keys, cbc, sha1-macs\]' check.out
sed -i 's/sha1-kex, cbc/sha1-kex, sha1-keys, cbc/' lake/landfall.yaml
expect 'with all of it, it is reached' check lake
expect 'check: it is said' \
	grep -q 'old algorithms are allowed (sha1-kex, sha1-keys' check.out
start_daemon
expect_same 'a file lands' 1 "$(for _ in $(seq 200); do
	find lake/zone/acme -name '*.zst' 2>/dev/null | grep . && break
	sleep 0.1
done | wc -l)"
expect_same 'the log says it, as a warning' 1 \
	"$(logged 'warning.*remark.*acme: old algorithms are allowed' 1)"
stop_daemon 'at the end'
expect 'the provenance says which' grep -qa \
	'diffie-hellman-group14-sha1 ssh-rsa aes128-cbc hmac-sha1' \
	"$(find lake/zone/acme -name 'a.*.zst')"
