#!/bin/sh
# Servers that lie, stall and talk nonsense, at the level of the SFTP child:
# what each trick costs, and that it is called by its name.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"

probe=$BUILDDIR/tests/servers/sftp-probe
[ -x "$probe" ] || skip "no $probe: make check builds it"
mkdir -p server/files/shut server/files/sub
head -c 300000 /dev/urandom >server/files/one
cp server/files/one server/files/swap
cp server/files/one server/files/grow
echo two >server/files/two
start_hostile server --all --password sesame
port_of()
{
	sed -n "s/^$1 //p" server/ports
}

# ask TRICK ARGUMENT...: all that comes of it, within a time.
ask()
{
	ask_port=$(port_of "${1%:*}")
	ask_word=sesame
	case $1 in *:*) ask_word=${1#*:} ;; esac
	shift
	timeout 60 "$probe" -p "$ask_word" -i 2 -A 2 "$ask_port" "$@" 2>&1 || :
}

# ends NAME TRICK COMMAND... = TEXT: the last line begins with the text.
ends()
{
	ends_name=$1
	shift
	ends_args=
	while [ "$1" != = ]; do
		ends_args="$ends_args '$1'"
		shift
	done
	ends_out=$(eval "ask $ends_args")
	ends_last=$(printf '%s\n' "$ends_out" | tail -n 1)
	case $ends_last in
	"$2"*) ok "$ends_name" ;;
	*) fail "$ends_name" "wanted: $2" "found: $ends_last" ;;
	esac
}

# ---- doors ----
for trick in None questions both; do
	expect "password: $trick" timeout 60 "$probe" -p sesame \
		"$(port_of $trick)" connect
	ends "a wrong one: $trick" $trick:wrong connect = 'down 0 auth'
done

# ---- no crimes ----
sum=$(sha256sum server/files/one | cut -d' ' -f1)
ends 'an honest server' None fetch one s1 = "done fine 300000 300000 $sum"
ends 'less than is asked, each time' short fetch one s2 = \
	"done fine 300000 300000 $sum"
ends 'answers in another order' reorder fetch one s3 = \
	"done fine 300000 300000 $sum"
expect 'byte for byte' cmp s3 server/files/one
ends 'no sizes' size-none fetch one s4 = "done fine 300000 300000 $sum"
mkdir server/files/few
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	cp server/files/two server/files/few/$i
done
mkdir mirror
ends 'few files at a time' few-files mirror few mirror = 'mirrored 12 of 12'
ends 'no words in a status' no-words fetch none s5 = 'done gone'
expect_same 'no times, no attributes, no types' \
	'file 300000 -;file 300000 T;file 300000 T' \
	"$(for t in no-mtime no-attributes no-types; do
		ask $t list '' | sed -n '/ one$/s/item \(.*\) .*/\1/p'
	done | sed 's/[0-9]*$/T/; s/-T/-/' | paste -sd';')"

# ---- listings ----
ask names list '' >listed
expect_same 'names that no file can have are trouble, one by one' \
	'garbage |garbage ../evil|garbage /etc/passwd|garbage a/b|garbage nul%00here|too-large x' \
	"$(sed -n 's/^trouble \([^ ]* [^ ]\{0,11\}\).*/\1/p' listed |
		sed 's/xxx*/x/' | LC_ALL=C sort | paste -sd'|')"
expect_same 'and those that are only odd are names' \
	'%FF%FE -rf esc%1B%5B31m grow new%0Aline one swap two' \
	"$(awk '/^item/ { print $5 }' listed | LC_ALL=C sort | paste -sd' ')"
for trick in endless endless-same endless-dots; do
	ends "$trick" $trick list '' 0 20000 = 'done too-large'
done
ends 'answers of no names' endless-empty list '' = 'done garbage'
ends 'folders in folders' deep list '' 64 = 'done fine'
ends 'links in circles' loops list '' 64 0 follow = 'done fine'
expect_same 'a folder that cannot be read' 'denied shut' \
	"$(ask denied list '' 9 | sed -n 's/^trouble \(denied [^ ]*\) .*/\1/p')"

# ---- contents ----
for trick in size-more size-less size-huge size-most behind; do
	ends "$trick" $trick fetch one s6 = 'done changed'
done
ends 'another file after it was read' swap fetch swap s7 = 'done changed'
ends 'a file that grows' grow fetch grow s8 = 'done changed'
ends 'nothing of how it is after it was read' no-after fetch one s15 = \
	'done garbage'
ends 'a byte at a time' crumbs fetch one s9 = 'done network'
ends 'more than was asked' more-data fetch one s10 = 'done garbage'
ends 'nothing, as data' no-data fetch one s11 = 'done garbage'
ends 'a READ that fails' read-fails fetch one s12 = 'done refused'
expect_same 'what came before is good' "$(head -c 131072 server/files/one |
	sha256sum | cut -d' ' -f1)" "$(ask read-fails fetch one s13 |
	awk '$1 == "done" { print $5 }')"

# ---- packets ----
for trick in garbage length empty-packet wrong-id wrong-type long-handle \
	cut-attributes many-extended; do
	ends "$trick" $trick fetch one s14 = 'done garbage'
done
ends 'names without end' many-names list '' = 'done garbage'
ends 'another version' version connect = 'down 0 mismatch'
ends 'a welcome in front' welcome connect = 'down 0 garbage'
ends 'no SFTP at all' no-sftp connect = 'down 0 mismatch'
ends 'it hangs up in the middle' hang-up fetch one s15 = 'done'

# ---- time ----
for trick in stall-open stall-read drip; do
	ends "$trick" $trick fetch one s16 = 'done network'
done
ends 'a listing that stalls' stall-list list '' = 'done network'
ends 'a version that never comes' stall-version connect = 'down 0 network'

timeout 60 "$probe" -p sesame -i 20 -K 1 "$(port_of None)" wait 4 >quiet
expect_same 'nothing to do for a while ends nothing' 0 \
	"$(grep -c ^down quiet || :)"
expect 'is filled with signs of life' grep -q REALPATH server/asked

# ---- changes ----
echo receipt >receipt
ends 'a receipt' None put sub/in/receipt.txt receipt = 'done fine'
expect 'is there, whole' cmp receipt server/files/sub/in/receipt.txt
ends 'never over another' None put sub/in/receipt.txt receipt = 'done exists'
ends 'nor is a file moved over one' rename-over move two sub/in/receipt.txt = \
	'done exists'
ends 'moved, with the folders it takes' None move two p/q/two = 'done fine'
expect 'there it is' test -f server/files/p/q/two
ends 'no quota' quota put full.txt receipt = 'done full'
ends 'no RENAME' no-rename move one p/one = 'done unsupported'
ends 'no REMOVE' no-remove remove one = 'done denied'
ends 'not another than was listed' None remove one 5 5 = 'done changed'
ends 'removed' None remove one = 'done fine'
expect 'it is gone' test ! -e server/files/one
ends 'and was before' None remove one = 'done gone'
