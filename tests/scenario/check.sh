#!/bin/sh
# `landfall check`: what it warns of though the configuration is right.
. "$SRCDIR/tests/scenario/lib.sh"
"$LANDFALL" init lake --quiet
conf=lake/landfall.yaml

# warned NAME PATTERN: check is content, and says this on standard error.
warned()
{
	expect_status "$1: no mistake" 0 "$LANDFALL" check -c $conf
	"$LANDFALL" check -c $conf 2>said
	expect "$1: said" grep -q "landfall: warning: .*$2" said
}

"$LANDFALL" check -c $conf 2>said
expect_same 'nothing to warn of' '' "$(grep warning said || :)"
rmdir lake/inbox
warned 'no such directory' 'source inbox: drop.path .*/lake/inbox: does not exist.*make it'
touch lake/inbox
warned 'a file' 'source inbox: .*/lake/inbox: is not a directory'
rm lake/inbox
mkdir -m 0 lake/inbox
[ -r lake/inbox ] ||
	warned 'not readable' 'source inbox: .*/lake/inbox: cannot be read'
chmod 700 lake/inbox
expect_same 'programs have one object all the same' inbox \
	"$("$LANDFALL" check --json -c $conf 2>/dev/null |
		sed -n 's/.*"sources":\["\([a-z]*\)"\].*/\1/p')"

sed -i '/^sources:/,$ { /^sources:/!s/^/#/ }' $conf
warned 'no source' 'no source: nothing will be collected'
