#!/bin/sh
# What is installed: pages agree with the program; in the units systemd finds
# nothing wrong, and little that the service could do to the machine.
. "$SRCDIR/tests/scenario/lib.sh"
make -s -C "$BUILDDIR" install DESTDIR="$PWD/dest" >install.log 2>&1 || {
	cat install.log
	fail 'make install'
	exit 1
}
units=$(find dest -name landfall.service -exec dirname {} \;)
expect_same 'units are installed' \
	'landfall-once.service landfall-once.timer landfall.service' \
	"$(find "$units" -type f -printf '%f\n' | sort | paste -sd' ')"
expect_same 'every path of the build is filled in' '' \
	"$(grep -hE '@[a-z]+@' "$units"/*.service || :)"
program=$(sed -n 's/^ExecStart=\([^ ]*\) .*/\1/p' "$units/landfall.service")
expect 'what they start is installed' test -x "dest$program"
expect 'so is who they run as' grep -rqw landfall dest --include landfall.conf
expect 'and the completion' \
	test -f "$(find dest -path '*bash-completion*' -name landfall)"

# A page and the program name the same place for the configuration.
pages=$(find dest -path '*/man[1-9]/*')
expect_same 'pages are installed' \
	'landfall-format.5 landfall-profile.5 landfall.1 landfall.yaml.5' \
	"$(echo "$pages" | sed 's|.*/||' | sort | paste -sd' ')"
expect_same 'every path of the build is filled in in them' '' \
	"$(echo "$pages" | xargs grep -hE '@[a-z]+@' || :)"
default=$("$LANDFALL" check --help | sed -n 's|^ *\(/.*/landfall.yaml\))$|\1|p')
expect_same 'both say where the configuration is looked for' '2' \
	"$(echo "$pages" | xargs grep -lF "Pa $default" | wc -l)"

command -v systemd-analyze >/dev/null || {
	echo 'ok - systemd-analyze # SKIP it is not installed'
	exit 0
}
# What they start lies in dest, not yet where they say.
mkdir units
for file in "$units"/*; do
	sed "s|^ExecStart=$program|ExecStart=$PWD/dest$program|" "$file" \
		>"units/${file##*/}"
done
for unit in landfall.service landfall-once.service landfall-once.timer; do
	systemd-analyze verify --man=no "units/$unit" >verify.out 2>&1 || :
	# What it says of units of the machine is not ours.
	expect_same "$unit: nothing is wrong" '' "$(grep landfall verify.out || :)"
done
case $(systemd-analyze security --help) in
*--offline*) ;;
*)
	echo 'ok - systemd-analyze security # SKIP it cannot look offline'
	exit 0
	;;
esac
for unit in landfall.service landfall-once.service; do
	expect "$unit: little is exposed" systemd-analyze security \
		--offline=true --threshold=20 "units/$unit"
done
