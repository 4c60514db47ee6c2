#!/bin/sh
# A partner at the end of a bad line: connections cut anywhere, the program and
# its child killed anywhere. All of it lands once, and little comes twice.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/scenario/partners.sh"

start_sshd srv
sshd=$port
files=$PWD/srv/files
user=$(cat srv/user)
pin=$(pin_of srv)
retry='retry: {attempts: 4, base: 10ms}'

if [ -n "$SOAK" ]; then
	mib=1024 cuts=50 kills=100
else
	mib=96 cuts=5 kills=10
fi

# with NAME PORT FOLDER [LINE...]: a zone with one partner.
with()
{
	lake "$1"
	with_in=$1
	with_port=$2
	with_path="path: $3"
	shift 3
	partner acme "$with_port" 'key: {file: ../srv/ed25519}' \
		"host_key: \"$pin\"" "$with_path" "$@" \
		>>"$with_in/landfall.yaml"
}

# pseudo-random bytes, quickly and the same each time
noise()
{
	openssl enc -aes-128-ctr -K 0123456789abcdef0123456789abcdef -iv "$2" \
		-in /dev/zero 2>/dev/null | head -c "$1"
}

count_landed()
{
	find "$1/zone/acme" -name '*.zst' 2>/dev/null | wc -l
}

# ---- cut at random points of one large file ----
mkdir -p "$files/large"
noise "$((mib << 20))" 00 >"$files/large/big.bin"
touch -d '3 days ago' "$files/large/big.bin"
sum=$(sha256sum <"$files/large/big.bin")
# Between two points that lie next to each other there is one connection, which
# gets so far; 4 KiB are the greetings.
options=$(python3 -c '
import random, sys
size, cuts = (int(a) for a in sys.argv[1:])
points = [0] + sorted(random.sample(range(size), cuts))
for here, there in zip(points, points[1:]):
    print("--cut", there - here + 4096)' $((mib << 20)) $cuts)
# shellcheck disable=SC2086
start_proxy line "$sshd" $options
with cut "$port" large 'connections: 1'
expect 'cut: one pass brings it' timeout 550 \
	"$LANDFALL" run --once -c cut/landfall.yaml --quiet
expect_same 'cut: the bytes are those of the partner' "$sum" \
	"$("$LANDFALL" cat -c cut/landfall.yaml big.bin | sha256sum)"
made=$(cat line/count)
expect 'cut: at each of the points' test "$made" -gt "$cuts"
came=$(cat line/bytes)
more=$(((came - (mib << 20)) * 1000 / (mib << 20)))
printf '# %s connections, %s.%s %% more bytes than the file has\n' "$made" \
	$((more / 10)) $((more % 10))
expect 'cut: at most 5 % came twice' test "$more" -le 50
stop_server line

# ---- the daemon or its child killed at random moments ----
mkdir -p "$files/many"
i=0
while [ $i -lt 8 ]; do
	noise "$(((mib << 20) / 12 + i * 7919))" "0$i" >"$files/many/$i.bin"
	i=$((i + 1))
done
i=0
while [ $i -lt 60 ]; do
	echo "small $i" >"$files/many/s$i.bin"
	i=$((i + 1))
done
find "$files/many" -type f -exec touch -d '3 days ago' {} +
# So slowly that most of the kills come in the middle of it.
start_proxy slow "$sshd" --rate $(((mib << 20) * 2 / 3 / kills))
with kill "$port" many

# The SFTP child of a process, or nothing.
child_of()
{
	pgrep -P "$1" 2>/dev/null | head -n 1
}

met=0
i=0
while [ $i -lt "$kills" ]; do
	[ "$(count_landed kill)" -eq 68 ] || met=$((met + 1))
	"$LANDFALL" run --once -c kill/landfall.yaml --quiet >kill.out 2>&1 &
	pid=$!
	n=$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')
	sleep "0.$((n % 800 + 100))"
	if [ $((i % 2)) -ne 0 ]; then
		child=$(child_of $pid)
		[ -z "$child" ] || kill -9 "$child" 2>/dev/null || :
		sleep 0.2
	fi
	kill -9 $pid 2>/dev/null || :
	wait $pid 2>/dev/null || :
	i=$((i + 1))
done
printf '# %s of %s kills had something to lose\n' $met $kills
expect 'kill: in the middle of it' test $met -gt $((kills / 3))
sed -i "s/port: .*/port: $sshd/" kill/landfall.yaml
expect 'kill: what is left is brought' timeout 550 \
	"$LANDFALL" run --once -c kill/landfall.yaml --quiet
expect_same 'kill: nothing is lost, nothing is there twice' 68 \
	"$(count_landed kill)"
expect 'kill: the zone is whole' "$LANDFALL" verify --deep -c kill/landfall.yaml
(cd "$files/many" && sha256sum -- * | LC_ALL=C sort) >wanted
"$LANDFALL" ls -c kill/landfall.yaml --json |
	sed 's/.*"bytes_sha256":"\([0-9a-f]*\)".*"name":"\([^"]*\)".*/\1  \2/' |
	LC_ALL=C sort >found
expect 'kill: the bytes are those of the partner' cmp wanted found
expect_same 'kill: nothing stays in the spool' '' \
	"$(find kill/state/spool -type f)"

# ---- what a source that is no more has left ----
mkdir -p cut/state/spool/former
echo x >cut/state/spool/former/0011.part
echo x >cut/state/spool/former/0011.mark
"$LANDFALL" run --once -c cut/landfall.yaml --quiet >lumber.out 2>&1 || :
expect 'the spool of a source that is no more goes' \
	test ! -e cut/state/spool/former
