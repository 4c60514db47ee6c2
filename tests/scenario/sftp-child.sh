#!/bin/sh
# The SFTP child against a real OpenSSH server, at the level of its messages:
# tests/servers/sftp-probe is its supervisor.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"

probe=$BUILDDIR/tests/servers/sftp-probe
[ -x "$probe" ] || skip "no $probe: make check builds it"
start_sshd server
user=$(cat server/user)
say()
{
	"$probe" -u "$user" -k server/ed25519 "$port" "$@" || :
}

# field N LINES: word N of the last line.
field()
{
	printf '%s\n' "$2" | tail -n 1 | cut -d' ' -f"$1"
}

# ---- getting in ----
print=$(ssh-keygen -lf server/host_ed25519.pub | cut -d' ' -f2)
expect_same 'the key that is presented is the one ssh-keygen sees' \
	"key ssh-ed25519 $print" "$(say connect | head -n 1)"
expect 'a pinned key is trusted' \
	"$probe" -u "$user" -k server/ed25519 -f "$print" "$port" connect
expect_same 'another key is not, and nobody logs in' \
	'down 0 untrusted: its host key is not trusted' \
	"$("$probe" -u "$user" -k server/ed25519 -f SHA256:other "$port" \
		connect | tail -n 1)"
for key in ed25519 ecdsa rsa rsa-pem ecdsa-pem ed25519-enc:"open sesame" \
	rsa-pem-enc:"open sesame"; do
	expect "key $key" "$probe" -u "$user" -k "server/$key" "$port" connect
done
expect_same 'a stranger is told what was tried' \
	"down 0 auth: not let in as $user: key: refused; the partner must know $(
		ssh-keygen -l -f server/stranger.pub | cut -d' ' -f2
	) (ssh-ed25519) (the server takes:" \
	"$("$probe" -u "$user" -k server/stranger "$port" connect |
		tail -n 1 | sed 's/takes:.*/takes:/')"
expect_same 'a public key is called that' \
	'key: this is the public half; the private one is in the file without .pub' \
	"$("$probe" -u "$user" -k server/ed25519.pub "$port" connect |
		grep -o 'key: this is.*\.pub')"
expect_same 'a wrong passphrase is called that' \
	'the key cannot be read: a wrong passphrase, or a format that is not' \
	"$("$probe" -u "$user" -k server/ed25519-enc:wrong "$port" connect |
		grep -o 'the key cannot be read.*is not')"
expect 'the second of two keys' "$probe" -u "$user" -k server/stranger \
	-k server/ed25519 "$port" connect

# ---- listing ----
mkdir -p server/files/a/b
head -c 100000 /dev/urandom >server/files/one
: >server/files/a/empty
newline='new
line'
echo x >"server/files/a/b/$newline"
ln -s one server/files/link
ln -s a server/files/loop
touch -d '2026-01-02 03:04:05 UTC' server/files/*
expect_same 'names of a folder, with what READDIR says of them' \
	'item file 100000 1767323045 one
item symlink link
item symlink loop' "$(say list '' | grep '^item' |
		sed 's/symlink .* /symlink /' | sort)"
expect_same 'names below it, as bytes' \
	'a/b/new%0Aline a/empty link loop one' \
	"$(say list '' 9 | awk '/^item/ { print $5 }' | sort | paste -sd' ')"
expect_same 'links to files are followed when asked, those to folders never' \
	'file link file one symlink loop' \
	"$(say list '' 0 0 follow | awk '/^item/ { print $2, $5 }' | sort |
		paste -sd' ')"
expect_same 'a folder that is not there' 'gone' \
	"$(field 2 "$(say list nowhere)")"
if [ "$(id -u)" -ne 0 ]; then
	mkdir server/files/shut
	chmod 0 server/files/shut
	expect_same 'a folder that cannot be read is trouble, with its name' \
		'trouble denied shut' "$(say list '' 9 | grep '^trouble' |
			cut -d' ' -f1-3)"
	chmod 700 server/files/shut
fi
expect_same 'a listing has a limit' 'too-large' \
	"$(field 2 "$(say list '' 9 3)")"

# ---- fetching ----
sum=$(sha256sum server/files/one | cut -d' ' -f1)
expect_same 'a file arrives, with its sum' "done fine 100000 100000 $sum" \
	"$(say fetch one spool | tail -n 1 | cut -d' ' -f1-5)"
expect 'byte for byte' cmp server/files/one spool
expect_same 'an empty one' 'done fine 0' \
	"$(say fetch a/empty spool.empty | tail -n 1 | cut -d' ' -f1-3)"
expect_same 'one that is not there' 'gone' \
	"$(field 2 "$(say fetch nothing spool.no)")"
expect_same 'one that is another than was listed' 'changed' \
	"$(field 2 "$(say fetch one spool.no 0 "$sum" 0 99999 1767323045)")"
half=$(head -c 60000 server/files/one | sha256sum | cut -d' ' -f1)
head -c 60000 server/files/one >spool.half
expect_same 'the rest of one, behind what is there' \
	"done fine 100000 41000 $sum" \
	"$(say fetch one spool.half 60000 "$half" 1000 | tail -n 1 |
		cut -d' ' -f1-5)"
expect 'and it is the whole' cmp server/files/one spool.half
head -c 60000 /dev/urandom >spool.half
expect_same 'a spool that has other bytes' 'stale' \
	"$(field 2 "$(say fetch one spool.half 60000 "$half" 1000)")"
other=$(sha256sum spool.half | cut -d' ' -f1)
expect_same 'a file whose tail has changed meanwhile' 'changed' \
	"$(field 2 "$(say fetch one spool.half 60000 "$other" 1000)")"

# ---- an agent ----
start_agent agent
SSH_AUTH_SOCK=$PWD/agent/agent ssh-add -q server/stranger
expect_status 'an agent with a key that is refused' 3 \
	"$probe" -u "$user" -a agent/agent "$port" connect
SSH_AUTH_SOCK=$PWD/agent/agent ssh-add -q server/rsa
expect 'an agent whose second key, RSA, is taken' \
	"$probe" -u "$user" -a agent/agent "$port" connect
stop_server agent

# ---- bad lines ----
sshd_port=$port
head -c 3000000 /dev/urandom >server/files/large
sum=$(sha256sum server/files/large | cut -d' ' -f1)
start_proxy cut "$sshd_port" --cut 1500000
rm -f spool
say fetch large spool >cut.out
expect_same 'a line that is cut' 'network' \
	"$(sed -n 's/^done \([^ ]*\) .*/\1/p' cut.out)"
read -r good part <<-END
	$(sed -n 's/^done network \([0-9]*\) [0-9]* \([0-9a-f]*\) .*/\1 \2/p' cut.out)
END
expect 'what came of it is much' test "$good" -gt 1000000
expect_same 'and its sum is right' "$part" \
	"$(head -c "$good" server/files/large | sha256sum | cut -d' ' -f1)"
expect_same 'the next attempt goes on there' \
	"done fine 3000000 $((3000000 - good + 65536)) $sum" \
	"$(say fetch large spool "$good" "$part" 65536 | tail -n 1 |
		cut -d' ' -f1-5)"
start_proxy stall "$sshd_port" --stall 1500000
expect_same 'a line that falls silent' \
	'network' "$(field 2 "$(say -i 2 fetch large spool.no)")"
port=$sshd_port
since=$(date +%s%N)
expect 'not faster than is allowed' \
	"$probe" -u "$user" -k server/ed25519 -r 2000000 "$port" \
	fetch large spool.slow
expect 'which takes a while' test $((($(date +%s%N) - since) / 1000000)) -gt 1200

# ---- many names, much at once ----
mkdir server/files/many mirror
(cd server/files/many && seq 400 | while read -r i; do echo "$i" >"n$i"; done)
expect 'four hundred files over three connections' \
	"$probe" -q -c 3 -u "$user" -k server/ed25519 "$port" mirror many mirror
expect 'byte for byte, all of them' diff -r server/files/many mirror

# ---- as partners run it: chroot, internal-sftp, new keys all the time ----
if [ "$(id -u)" -eq 0 ]; then
	start_sshd partner --chroot --set 'RekeyLimit 1M'
	cp server/files/large partner/files/outbound/large
	user=nobody
	expect_same 'a file from a chroot, over many changes of keys' \
		"done fine 3000000 3000000 $sum" \
		"$("$probe" -u nobody -k partner/ed25519 "$port" \
			fetch /outbound/large spool.partner | tail -n 1 |
			cut -d' ' -f1-5)"
	expect 'keys were changed' test "$(grep -c 'rekey' partner/log)" -gt 1
	expect 'a receipt where it may be left' \
		"$probe" -u nobody -k partner/ed25519 "$port" \
		put /outbound/receipts/r.txt server/user
	expect 'it is there' cmp server/user \
		partner/files/outbound/receipts/r.txt
	expect_same 'and nowhere else' denied "$(field 2 "$("$probe" -u nobody \
		-k partner/ed25519 "$port" put /r.txt server/user)")"
	for what in 'put /new/r.txt server/user' \
		'move /outbound/large /new/er/large'; do
		# shellcheck disable=SC2086
		expect_same "whose folder cannot be made: ${what%% *}" denied \
			"$(field 2 "$("$probe" -u nobody -k partner/ed25519 \
				"$port" $what)")"
	done
	expect_same 'what is gone itself is that' gone "$(field 2 "$("$probe" \
		-u nobody -k partner/ed25519 "$port" move /outbound/none \
		/new/er/large)")"
	port=$sshd_port
fi

# ---- the sandbox ----
"$LANDFALL" init lake --quiet
"$probe" 0 try "$PWD/lake/state/catalog.db" "$PWD/lake/state/ledger.key" \
	"$PWD/lake/zone/_ledger/checkpoint" "$PWD/lake/zone" >tries
expect_same 'catalog, key, ledger and zone are out of reach' \
	'read: Permission denied|write: Permission denied' \
	"$(grep -E '^(read|write)' tries | sort -u | paste -sd'|')"
expect_same 'they cannot be removed or emptied' '' \
	"$(grep -E '^(remove|empty): done' tries || :)"
expect_same 'who makes a socket is no more' \
	'socket: try child: killed by SIGSYS' \
	"$(tail -n 1 tries | sed 's/SIGSYS.*/SIGSYS/')"
