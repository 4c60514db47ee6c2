#!/bin/sh
# A polled API over TLS: whoever cannot show that it is who it should be is
# told nothing, and why is said.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/servers/polled.sh"
command -v openssl >/dev/null || skip 'no openssl'

# certificate NAME SUBJECT: NAME.pem, which has signed itself, and NAME.key.
certificate()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
		-nodes -days 2 -subj "/CN=$1" -addext "subjectAltName=$2" \
		-keyout "$1.key" -out "$1.pem" 2>openssl.out || {
		cat openssl.out
		exit 1
	}
}

# shop NAME URL LINE: one more source of the lake.
shop()
{
	cat <<-END
	  $1:
	    base_url: $2
	    $3
	    secrets: {token: {env: SHOP_TOKEN}}
	    auth: {type: bearer, token: "{{secret.token}}"}
	    pagination: {type: link, next: {link: next}}
	    retry: {max_attempts: 2, base: 10ms, max: 20ms}
	    streams:
	      orders: {request: {path: /orders}, records: "\$.data[*]", key: \$.id}
	END
}

SHOP_TOKEN=open-sesame-4711
export SHOP_TOKEN
certificate good IP:127.0.0.1
certificate other IP:127.0.0.1
data api /orders <<'END'
{"id": 1}, {"id": 2}, {"id": 3}, {"id": 4}
END
cat good.pem good.key >api/tls
serve_api api
{
	shop good "$url" 'ca_file: ../good.pem'
	shop other "$url" 'ca_file: ../other.pem'
	shop system "$url" 'headers: {}'
	shop name "https://localhost:$port" 'ca_file: ../good.pem'
	shop missing "$url" 'ca_file: ../none.pem'
	shop empty "$url" 'ca_file: landfall.yaml'
} | lake lake

expect 'a server with the right certificate' run lake good
expect_same 'all of it has landed' '1 2 3 4' "$(ids lake)"
: >api/log
# refused NAME TEXT: it is not asked, and TEXT says why.
refused()
{
	lib_found=0
	run lake "$1" >out 2>&1 || lib_found=$?
	expect_same "$1: refused" 3 "$lib_found"
	expect "$1: it is said why" grep -- "$2" out
}
refused other 'not prove who it is to those who are trusted by .*../other.pem: '
refused system 'not prove who it is to those who are trusted by .*/etc/ssl'
refused name 'not prove who it is to those who are trusted by .*../good.pem: '
refused missing 'none.pem: there is no such file'
refused empty 'landfall.yaml: there is no certificate in it'
expect_same 'nobody of those was asked, or told the secret' 0 \
	"$(wc -l <api/log)"
expect_same 'nothing else has landed' '1 2 3 4' "$(ids lake)"
