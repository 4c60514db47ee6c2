#!/bin/sh
# Who we are to a partner, the whole way from the configuration to the door: an
# agent, keys of each kind and format, a password, a question; and RSA keys,
# which sign with SHA-1 only where the source says so.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/scenario/partners.sh"

# as NAME DIR PORT LINE...: a source whose login has these lines.
as()
{
	lake "$1"
	as_in=$1
	as_port=$3
	as_pin="host_key: \"$(cat "$2"/host*.pub | ssh-keygen -l -f - |
		cut -d' ' -f2 | sed -n 1p)\""
	shift 3
	partner acme "$as_port" "$as_pin" "$@" >>"$as_in/landfall.yaml"
}

# said NAME TEXT: the last check, which failed, has it.
said()
{
	expect "$1" grep -q -- "$2" check.out
}

# signed NAME ALGORITHM DIR: what sshd was last asked to take a signature by.
signed()
{
	expect_same "$1" "$2" "$(sed -n 's/.*pkalg \([^ ]*\) .*/\1/p' \
		"$3/log" | tail -n 1)"
}

start_sshd srv
user=$(cat srv/user)
OPEN='open sesame'
WRONG='shut sesame'
export OPEN WRONG

# ---- keys, encrypted in each format ----
ssh-keygen -q -t ecdsa -b 521 -N '' -f srv/ecdsa-521
ssh-keygen -q -t rsa -b 2048 -N '' -m PKCS8 -f srv/rsa-pkcs8
ssh-keygen -q -t rsa -b 2048 -N "$OPEN" -m PKCS8 -f srv/rsa-pkcs8-enc
cat srv/ecdsa-521.pub srv/rsa-pkcs8.pub srv/rsa-pkcs8-enc.pub \
	>>srv/authorized_keys
for kind in ecdsa ecdsa-pem ecdsa-521 rsa-pkcs8; do
	as door srv "$port" "key: {file: ../srv/$kind}"
	expect "key: $kind" check door
	rm -r door
done
for kind in ed25519-enc rsa-pem-enc rsa-pkcs8-enc; do
	as door srv "$port" "key: {file: ../srv/$kind}" 'passphrase: {env: OPEN}'
	expect "key: $kind" check door
	sed -i 's/env: OPEN/env: WRONG/' door/landfall.yaml
	expect_status "key: $kind, a wrong passphrase" 3 check door
	said "key: $kind, and that is said" 'wrong passphrase'
	rm -r door
done
as none srv "$port" 'key: {file: ../srv/ed25519-enc}'
expect_status 'key: encrypted, and no passphrase' 3 check none
said 'key: which is said' 'has a passphrase'

# ---- RSA: the best signature that the server takes ----
as rsa srv "$port" 'key: {file: ../srv/rsa}'
expect 'rsa: let in' check rsa
signed 'rsa: by SHA-512' rsa-sha2-512 srv

# ---- an agent ----
start_agent agent
SSH_AUTH_SOCK=$PWD/agent/agent
export SSH_AUTH_SOCK
as agent-door srv "$port" "agent: $SSH_AUTH_SOCK"
expect_status 'agent: without keys' 3 check agent-door
said 'agent: which is said' 'agent: it has no keys'
ssh-add -q srv/stranger
expect_status 'agent: with a key that is not taken' 3 check agent-door
said 'agent: which is said too' 'agent: all its keys were refused'
ssh-add -q srv/rsa
expect 'agent: the second is' check agent-door
signed 'agent: which is RSA, by SHA-512' rsa-sha2-512 srv

# ---- servers that are picky about RSA signatures, or old ----
mkdir -p old/files
cat srv/rsa.pub srv/ed25519.pub >old/authorized_keys
echo 1 >old/files/a.csv
if has_paramiko; then
	start_hostile old --all --password word
	# asks NAME TRICK LINE...: a source at the server of this trick.
	asks()
	{
		asks_name=$1
		asks_port=$(sed -n "s/^$2 //p" old/ports)
		shift 2
		as "$asks_name" old "$asks_port" "$@"
	}
	key='key: {file: ../srv/rsa}'
	asks sha256 only-sha256 "$key"
	expect 'rsa: let in by SHA-256, where that is all' check sha256
	expect_same 'rsa: that it was' 'SIGNED rsa-sha2-256' \
		"$(grep SIGNED old/asked)"
	: >old/asked
	for trick in only-sha1 no-list; do
		asks $trick $trick "$key"
		expect_status "$trick: a key is not used" 3 check $trick
		said "$trick: why, and what to do" 'SHA-1.*Ed25519.*sha1-keys'
		asks $trick-agent $trick "agent: $SSH_AUTH_SOCK"
		expect_status "$trick: an agent's neither" 3 check $trick-agent
		said "$trick: which is said too" 'agent: all its keys were'
	done
	said 'no-list: and why' 'its RSA key was not used.*SHA-1.*sha1-keys'
	ssh-add -q srv/ed25519
	expect 'only-sha1: a key behind the RSA key in the agent' \
		check only-sha1-agent
	ssh-add -q -d srv/ed25519
	expect_same 'nothing was signed with SHA-1' 'SIGNED ssh-ed25519' \
		"$(grep SIGNED old/asked || :)"
	: >old/asked
	for door in only-sha1 no-list no-list-agent; do
		sed -i 's/user: .*/&\n      algorithms: [sha1-keys]/' \
			$door/landfall.yaml
		expect "$door: where the source allows it" check $door
	done
	said 'and that is said' 'old algorithms are allowed (sha1-keys)'
	expect_same 'it was SHA-1' 3 "$(grep -c 'SIGNED ssh-rsa' old/asked)"
	stop_server old
fi
stop_server agent

# ---- a server that is full hangs up before it says who it is ----
start_sshd full --set 'MaxStartups 1:100:1'
as full-door full "$port" 'key: {file: ../full/ed25519}'
python3 - "$port" <<'END' &
import socket, sys, time
s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
s.recv(1)
open('held', 'w').close()
time.sleep(60)
END
holds=$!
for _ in $(seq 400); do
	[ ! -e held ] || break
	sleep 0.05
done
expect_status 'a server that is full' 3 check full-door
said 'which is said' 'hung up before it said who it is; it said: .*: it may have too many'
kill $holds
wait $holds || :
# One connection before the door is one too many, also if it is ours.
inside=no
for _ in $(seq 100); do
	! check full-door || { inside=yes && break; }
	sleep 0.1
done
expect_same 'and lets us in when it is not' yes $inside
stop_server full

# ---- a password, and a question ----
if [ "$(id -u)" -ne 0 ] || ! unshare -m true 2>/dev/null; then
	printf '# no passwords: only root can give somebody one, unseen\n'
	exit 0
fi
for door in password questions; do
	pam=
	[ $door = password ] || pam=--pam
	mkdir $door
	for public in srv/*.pub; do # made but once
		cp "$public" "${public%.pub}" $door
	done
	start_sshd $door --chroot --password "$OPEN" $pam
	user=$(cat $door/user)
	as let-$door $door "$port" 'password: {env: OPEN}'
	expect "$door: the right word" check let-$door
	sed -i 's/env: OPEN/env: WRONG/' let-$door/landfall.yaml
	expect_status "$door: a wrong one" 3 check let-$door
	said "$door: is said" 'not let in as nobody: .*refused'
	stop_server $door
done
found=0
grep -rlE "$OPEN|$WRONG" let-*/ check.out >leaks || found=$?
expect_same 'no word is where it should not be' 1 $found
