#!/bin/sh
# What was landed once is read for ever, and landing it again gives the same
# frames and the same index: tests/golden/README.md.
. "$SRCDIR/tests/scenario/lib.sh"
golden=$SRCDIR/tests/golden
cp -R "$golden/zone-v1" zone
chmod -R u+w zone

expect 'verify --deep finds nothing wrong' "$LANDFALL" verify --deep zone \
	--vkey "$golden/zone-v1/_ledger/vkey"
expect 'nor does the second reader' \
	python3 "$SRCDIR/contrib/readers/verify.py" zone
expect_same 'which reads all of it' 'zone: 269 entries, 16 files, 0 findings' \
	"$(tail -1 lib.out)"
expect_same 'no private key is kept here' '' \
	"$(grep -rl 'PRIVATE KEY' "$golden/zone-v1" || :)"

# The same deliveries, today.
LANDFALL=$LANDFALL "$golden/make" again

# delivered FILE BYTES: the landing file whose path begins so holds them. The
# path is a pattern of find, in which a star stands for slashes too.
delivered()
{
	file=$(find zone -path "zone/$1*.zst")
	"$LANDFALL" cat "$file" >found 2>found.err || :
	if cmp -s found "$2"; then
		ok "cat ${file##*/}"
	else
		fail "cat ${file##*/}" "$(cat found.err)"
	fi
}
from=$golden/delivered
csv=csv/dt=2026-11-23
delivered "$csv/empty." "$from/empty.csv"
delivered "$csv/quotes." "$from/quotes.csv"
delivered "$csv/crlf." "$from/crlf.csv"
delivered "$csv/malformed." "$from/malformed.csv"
delivered "$csv/odd*" "$from/odd.csv"
delivered "$csv/growing.6ee9" "$from/growing-1.csv"
delivered "$csv/growing.6052" "$from/growing-2.csv"
delivered "$csv/growing.03fb" "$from/growing-3.csv"
delivered "$csv/big." again/big.csv
delivered 'semicolon/*/utf16.' "$from/utf16.csv"
delivered 'json/*/events.' "$from/events.ndjson"
delivered 'fixed/*/accounts.' "$from/accounts.dat"
delivered 'lines/*/2026%2Fapp.' "$from/app.log"
delivered 'opaque/*/one.' "$from/one.bin"
delivered 'opaque/*/image.' "$from/image.bin"
delivered 'opaque/*/again.' "$from/image.bin"

# records NAME [OPTION...]: as the expectation of that name says.
records()
{
	name=$1
	shift
	"$LANDFALL" cat zone/*/*/"${name%.*}".*.zst --records --json "$@" \
		>found 2>&1 || :
	if cmp -s found "$golden/expected/$name.json"; then
		ok "records of $name"
	else
		fail "records of $name" \
			"$(diff found "$golden/expected/$name.json")"
	fi
}
records malformed.csv --fields
records quotes.csv --fields
records utf16.csv --fields --count 1
records events.ndjson
records accounts.dat
records big.csv --fields --from 109999 --count 1
"$LANDFALL" cat zone/$csv/odd*.zst --records --json --fields >found
expect 'records of odd.csv' cmp found "$golden/expected/odd.csv.json"

# same PART [OPTION]: the zone of then and the zone of today agree on it.
same()
{
	"$golden/frames.py" ${2:+"$2"} zone >then.out
	"$golden/frames.py" ${2:+"$2"} again/lake/zone >now.out
	expect "landing today: the same $1" diff then.out now.out
	expect_same 'of every file' 16 "$(wc -l <now.out | tr -d ' ')"
}
linked=$(python3 -c 'import ctypes
zstd = ctypes.CDLL("libzstd.so.1")
zstd.ZSTD_versionString.restype = ctypes.c_char_p
print(zstd.ZSTD_versionString().decode())' || echo unknown)
then=$(sed -n 's/^zstd: //p' "$golden/README.md")
same 'record index' --index
if [ "$linked" = "$then" ]; then
	same 'data frames'
else
	printf 'ok - landing today: the same data frames # SKIP %s\n' \
		"libzstd $linked is here, the frames were made by $then"
fi
