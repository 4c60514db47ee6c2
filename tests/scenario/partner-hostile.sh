#!/bin/sh
# Servers that lie, stall and break the protocol, each as a partner of its own
# beside an honest one: what each costs is its own, and nothing lands that is
# not what its server has.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"

seq 1 40000 >big
mkdir -p server/files
head -c 100 big >server/files/one.csv
cp big server/files/two.csv
find server/files -type f -exec touch -d '3 days ago' {} +
start_hostile server --all --password sesame
pin=$(ssh-keygen -l -f server/host.pub | cut -d' ' -f2)
cp -r server/files kept
SESAME=sesame
export SESAME

"$LANDFALL" init lake --quiet
sed -i '/^sources:/,$d' lake/landfall.yaml

# partner NAME PORT
partner()
{
	cat <<-END
	  $1:
	    sftp:
	      host: 127.0.0.1
	      port: $2
	      user: lake
	      password: {env: SESAME}
	      host_key: "$pin"
	      timeouts: {connect: 5s, auth: 5s, idle: 2s}
	      retry: {attempts: 2, base: 10ms}
	    after: keep
	END
}

# In sftp-hostile.sh alone: listings without an end (a million names would be a
# million fetches here), and what changes the files that the others show.
{
	echo 'limits: {spool: 64MiB}'
	echo 'sources:'
	while read -r trick trick_port; do
		case $trick in
		endless* | wide | deep | grow | swap | None) ;;
		*) partner "$trick" "$trick_port" ;;
		esac
	done <server/ports
} >>lake/landfall.yaml
mkdir inbox
echo 1 >inbox/a.csv
printf '  here:\n    drop: {path: ../inbox}\n    ready: {stable: 0s}\n' \
	>>lake/landfall.yaml
expect 'the configuration is right' "$LANDFALL" check -c lake/landfall.yaml

begun=$(date +%s)
status=0
timeout 300 "$LANDFALL" run --once -c lake/landfall.yaml --json \
	>out 2>err || status=$?
took=$(($(date +%s) - begun))
expect_same 'a pass over all of them ends, and says that some failed' 3 \
	"$status"
expect 'in the time that one of them may take' test "$took" -lt 240
expect 'what is here has landed' grep -q '"source":"here","name":"a.csv"' out

# The bytes that landed are those of the files, whatever was said of them.
for name in one two; do
	sha256sum <"kept/$name.csv" | cut -d' ' -f1
done | LC_ALL=C sort -u >right
sha256sum <inbox/a.csv | cut -d' ' -f1 >>right
"$LANDFALL" ls -c lake/landfall.yaml --json |
	sed 's/.*"bytes_sha256":"\([0-9a-f]*\)".*"source":"\([^"]*\)".*/\1 \2/' \
	>landed
expect_same 'nothing landed that is not there' '' \
	"$(grep -vFf right landed || :)"
expect 'the zone is whole' "$LANDFALL" verify --deep -c lake/landfall.yaml

# landed TRICK NUMBER: so many of its files did.
landed()
{
	expect_same "$1: so many of its files landed" "$2" \
		"$(grep -c " $1\$" landed || :)"
}

landed short 2
landed reorder 2
landed no-mtime 2 # once two looks were the same
landed size-more 0
landed size-less 0
landed size-huge 0
landed stall-read 0
landed garbage 0
landed no-rename 2
expect_same 'nothing stays in the spool of those that went well' '' \
	"$(find lake/state/spool/short lake/state/spool/reorder -type f)"
for trick in stall-version stall-list no-sftp garbage version; do
	expect "$trick: it is said" grep -q "source $trick: " err
done
