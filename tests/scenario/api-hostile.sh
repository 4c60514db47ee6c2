#!/bin/sh
# An API that changes under who reads it, and one that means no good: what it
# serves lands or fails, with few requests, and others are none the worse.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/servers/polled.sh"

# shop NAME: a zone with two lists of one API; what goes wrong is with orders.
shop()
{
	lake "$1" <<-END
	  shop:
	    base_url: $url
	    auth: {type: none}
	    retry: {max_attempts: 3, base: 10ms, max: 20ms}
	    pagination: {type: link, next: {link: next}}
	    max_body: 1MiB
	    streams:
	      orders: {request: {path: /orders, query: {size: "2"}},
	        records: "\$.data[*]", key: \$.id}
	      quiet: {request: {path: /quiet}, records: "\$.data[*]",
	        key: \$.id}
	END
}

orders()
{
	printf '{"/quiet": [{"id": 77}], "/orders": ['
	for id in "$@"; do
		[ "$id" = "$1" ] || printf ',\n'
		printf '{"id": %s}' "$id"
	done
	printf ']}'
}

mkdir api
orders 1 2 3 4 5 6 >api/data
serve_api api

# asked NAME MOST: so many requests for orders were enough.
asked()
{
	expect "$1: in no more than $2 requests" \
		test "$(grep -c /orders api/log)" -le "$2"
}

# ---- records that change their place while pages are read ----
# 5 moves to a page that was read already, 1 to one that comes yet.
shop moved
orders 5 2 3 4 1 6 >api/later
rules api '{"match": "orders", "do": "move", "data": "later"}'
expect 'moved: a pass' run moved
expect_same 'moved: what is seen lands, twice read or not' '1 2 3 4 6 77' \
	"$(ids moved --new | sed 's/ 1 / /')"
asked moved 3
expect 'moved: the next pass' run moved
expect_same 'moved: it brings what was passed over, and all is new once' \
	'1 2 3 4 5 6 77' "$(ids moved --new)"
asked moved 6

# ---- a page without records is not the last one ----
shop empty
rules api '{"match": "page=2", "do": "empty"}'
expect 'empty: a pass' run empty
expect_same 'empty: what is behind it lands too' '1 2 3 4 5 6 77' \
	"$(ids empty --new)"
asked empty 4

# ---- what is no good ----
hex()
{
	od -An -v -tx1 | tr -d ' \n'
}
n=0
# no_good WHAT MOST RULE: nothing of it lands, the other list does.
no_good()
{
	n=$((n + 1))
	shop bad$n
	rules api "{\"match\": \"/orders\", \"times\": 99, $3}"
	expect_status "$1: fails" 3 run bad$n
	expect_same "$1: and alone" 77 "$(ids bad$n)"
	asked "$1" "$2"
}

no_good 'bytes that are no text' 3 \
	"\"bytes\": \"$(printf '{"data":[{"id":"\377\300\200"}]}' | hex)\""
no_good 'a NUL in a page' 3 \
	"\"bytes\": \"$(printf '{"data":[{"id":1}]\0}' | hex)\""
no_good 'brackets without end' 3 '"body": "[", "repeat": 900000'
no_good 'a body over the limit' 1 '"body": "          ", "repeat": 120000'
no_good 'a small body that unpacks to a large one' 1 \
	'"body": "          ", "repeat": 2000000, "gzip": true'
no_good 'headers without end' 3 \
	"\"raw\": \"$(printf 'HTTP/1.1 200 OK\r\nX: %05000d\r\n' 0 |
		hex)\", \"repeat\": 40"
no_good 'what is not HTTP' 3 "\"raw\": \"$(printf 'SSH-2.0-no\r\n' | hex)\""
# lengths TEXT...: an answer with them.
lengths()
{
	printf 'HTTP/1.1 200 OK\r\n'
	printf 'Content-Length: %s\r\n' "$@"
	printf '\r\n{"data":[]}'
}
no_good 'two lengths' 3 "\"raw\": \"$(lengths 9 11 | hex)\""
no_good 'a length that is no number' 3 "\"raw\": \"$(lengths -5 | hex)\""
no_good 'an encoding nobody asked for' 1 \
	'"body": "{}", "headers": [["Content-Encoding", "br"]]'
for to in file:///etc/passwd http://me@127.0.0.1/ //localhost:1/orders; do
	no_good "a next page at $to" 1 "\"body\": \"{\\\"data\\\": []}\",
		\"headers\": [[\"Link\", \"<$to>; rel=next\"]]"
	no_good "a redirection to $to" 1 \
		"\"status\": 302, \"headers\": [[\"Location\", \"$to\"]]"
done
no_good 'a redirection to itself' 7 \
	'"status": 302, "headers": [["Location", "/orders"]]'

# ---- a resolver that never answers ----
# Both kinds of source with a name; each has a second to connect.
cat >silent.py <<'EOF'
import fcntl, socket, struct, subprocess, sys, time
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
# SIOCGIFFLAGS, SIOCSIFFLAGS: nothing is up in a network of our own.
ask = struct.pack('16sh', b'lo', 0)
flags = struct.unpack('16sh', fcntl.ioctl(udp, 0x8913, ask))[1]
fcntl.ioctl(udp, 0x8914, struct.pack('16sh', b'lo', flags | 1))
udp.bind(('127.0.0.1', 53))
udp.setblocking(False)
begin = time.monotonic()
status = subprocess.call(sys.argv[1:])
try:
    asked = len(udp.recv(512)) > 0
except BlockingIOError:
    asked = False
print(status, asked, time.monotonic() - begin < 15)
EOF
printf 'nameserver 127.0.0.1\noptions timeout:30 attempts:1\n' >resolv.conf
echo 'hosts: files dns' >nsswitch.conf
cat >resolved <<'EOF'
#!/bin/sh
for file in resolv.conf nsswitch.conf; do
	mount --bind $file /etc/$file || exit
done
exec "$@"
EOF
chmod +x resolved
if ! unshare -rmn ./resolved true 2>/dev/null; then
	echo '# no resolver of our own here: not tried'
else
	lake unresolved <<-EOF
	  shop:
	    base_url: https://shop.example
	    retry: {max_attempts: 2, base: 10ms, max: 20ms}
	    auth: {type: none}
	    streams:
	      orders: {request: {path: /orders, timeout: {connect: 1s}},
	        records: "\$.data[*]", key: \$.id}
	  partner:
	    sftp: {host: partner.example, user: me, password: {env: PASSWORD}, path: in,
	      host_key: "SHA256:$(printf '%043d' 0)", timeouts: {connect: 1s},
	      retry: {attempts: 2, base: 10ms}}
	EOF
	PASSWORD=sesame unshare -rmn ./resolved python3 silent.py \
		"$LANDFALL" run --once -c unresolved/landfall.yaml \
		>ended 2>unresolved.err
	expect_same 'a resolver that never answers costs a second each time' \
		'3 True True' "$(tail -n 1 ended)"
	expect_same 'and is told of both' 2 \
		"$(grep -c 'no answer in time' unresolved.err)"
fi
