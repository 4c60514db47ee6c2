#!/bin/sh
# A zone anywhere, and mistakes that are told.
. "$SRCDIR/tests/scenario/lib.sh"

# Whatever stands in the path, the configuration means that path.
for dir in plain 'sp ace: #x' 'quo"te' "apo'strophe" 'back\slash' '{b}, [c]'; do
	expect "init in a folder named $dir" "$LANDFALL" init "$dir"
	printf 'a\n1\n' >"$dir/inbox/x.csv"
	touch -d '1 hour ago' "$dir/inbox/x.csv"
	expect 'check' "$LANDFALL" check --connect -c "$dir/landfall.yaml"
	expect 'run' "$LANDFALL" run --once -c "$dir/landfall.yaml"
	expect_same 'it landed there' 1 \
		"$(find "$dir/zone/inbox" -name 'x.*.zst' | wc -l)"
done
mkdir 'new
line'
expect_status 'a path that no configuration can say' 1 "$LANDFALL" init 'new
line'
expect_status 'a second init is refused' 1 "$LANDFALL" init plain
expect_status 'an origin with a space' 1 "$LANDFALL" init --origin 'a b' other
expect 'and init can be said again' "$LANDFALL" init --origin a/b other
expect_status 'a configuration that is not there' 1 \
	"$LANDFALL" check -c gone.yaml
expect_same 'is named' 1 "$(grep -c 'gone.yaml is not there' lib.out)"
