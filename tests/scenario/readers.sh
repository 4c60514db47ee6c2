#!/bin/sh
# contrib/readers/verify.py finds what is wrong with a zone, and nothing else.
# The zone is made by make-zone.py: no code of ours takes part.
#
# The commands that spoil a zone are expanded where they run.
# shellcheck disable=SC2016,SC2034
. "$SRCDIR/tests/scenario/lib.sh"
for tool in zstd openssl; do
	command -v $tool >/dev/null || skip "$tool is missing"
done

verify()
{
	python3 "$SRCDIR/contrib/readers/verify.py" "$@"
}

python3 "$SRCDIR/tests/scenario/make-zone.py" good
vkey=$(cat good/_ledger/vkey)
expect 'a sound zone' verify good
expect_same 'its summary' 'good: 306 entries, 5 files, 0 findings' \
	"$(tail -1 lib.out)"
expect_same 'an unknown disposition is a note' \
	"note: _ledger: entry 305: disposition 'configured'" "$(head -1 lib.out)"
expect 'with the right key' verify good --vkey "$vkey"
expect_status 'with a wrong key' 4 verify good --vkey \
	example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k
expect_status 'with half a key' 4 verify good --vkey "${vkey%?????}"
expect 'with the file of the key' verify good --vkey good/_ledger/vkey
for key in '' nowhere/vkey good good/_ledger/README; do
	expect_status "with no key: '$key'" 1 verify good --vkey "$key"
	expect_same "and what to give: '$key'" 1 \
		"$(verify good --vkey "$key" 2>&1 | grep -c '^usage: .*VKEY' || :)"
done
expect_status 'without a zone' 1 verify
expect_status 'with a zone that is not there' 1 verify nowhere

# spoil WHAT-IS-FOUND COMMAND: in a copy; status 4 and a line that begins so.
spoil()
{
	rm -rf bad
	cp -r good bad
	(cd bad && eval "$2")
	spoil_status=0
	verify bad >out 2>&1 || spoil_status=$?
	if [ $spoil_status -eq 4 ] && grep -q "^$1" out; then
		ok "found: $2"
	else
		fail "found: $2" "status $spoil_status" "$(cat out)"
	fi
}
day=dt=2026-11-23
# FILE OFFSET [TAG]: one byte changes, counted from the file's start, from its
# end when negative, or from where TAG is.
flip()
{
	python3 -c 'import sys
path, at, tag = (sys.argv[1:] + [""])[:3]
with open(path, "r+b") as f:
    data = f.read()
    at = int(at) % len(data) + data.index(tag.encode())
    f.seek(at)
    f.write(bytes([data[at] ^ 16]))' "$@"
}
big=$day/big.csv.2697891744f9.zst

spoil '_ledger: the signature' 'sed -i s/^306/305/ _ledger/checkpoint'
spoil '_ledger: no signature' \
	'sed -i "s/^— led/— lad/" _ledger/checkpoint'
spoil '_ledger: no signature' 'sed -i 4d _ledger/checkpoint'
spoil '_ledger: .*No such file' 'rm _ledger/checkpoint'
spoil '_ledger/checkpoint: the entries do not hash' \
	'flip _ledger/tile/entries/000 50'
spoil '_ledger: .*No such file' \
	'rm -r _ledger/tile/entries/001.p'
spoil '_ledger: 256 entries from 0 on are cut or too many' \
	'printf "\0\1x" >>_ledger/tile/entries/000'
spoil '_ledger: 256 entries from 0 on are cut or too many' \
	'truncate -s -1 _ledger/tile/entries/000'
spoil '_ledger/tile/0: wrong from entry 0 on' 'flip _ledger/tile/0/000 8191'
spoil '_ledger/tile/0: wrong from entry 256 on' 'echo >>_ledger/tile/0/001.p/50'
spoil 'acme/.*big.*: is missing' 'rm acme/$big'
spoil 'acme/.*/more.zst: no ledger entry' 'cp acme/$big acme/$day/more.zst'
spoil 'gamma/SHA256SUMS: no ledger entry' 'mkdir gamma; : >gamma/SHA256SUMS'
spoil 'stray: no ledger entry' 'echo >stray'
spoil 'acme/.*/link: is not a regular' 'ln -s SHA256SUMS acme/$day/link'
spoil 'acme/.*/SHA256SUMS: is not the list' \
	'truncate -s -1 acme/$day/SHA256SUMS'
spoil 'acme/.*/SHA256SUMS: is not the list' \
	'sed -n 1p acme/$day/SHA256SUMS >>acme/$day/SHA256SUMS'
spoil 'acme/.*/SHA256SUMS: is not the list' 'sed -i 1d acme/$day/SHA256SUMS'
spoil 'acme/.*/SHA256SUMS: is not the list' \
	'sed -i s/^......../01234567/ acme/$day/SHA256SUMS'
spoil 'beta/.*/SHA256SUMS: is not the list' 'rm beta/$day/SHA256SUMS'
spoil 'acme/.*big.*: is not the file' 'flip acme/$big 5000'
spoil 'acme/.*big.*: does not decompress to' 'flip acme/$big 5000'
spoil 'acme/.*big.*: does not decompress to' \
	'zstd -dcq acme/$big | sed s/^1/2/ | zstd -q >x; mv x acme/$big'
spoil 'acme/.*big.*: does not decompress to' 'echo | zstd -q >>acme/$big'
spoil 'acme/.*big.*: no seek table' 'truncate -s -1 acme/$big'
spoil 'acme/.*big.*: no seek table' \
	'zstd -dcq acme/$big | zstd -q >x; mv x acme/$big'
spoil 'acme/.*big.*: no seek table' 'flip acme/$big -5'
spoil 'acme/.*big.*: its seek table has a wrong length' 'flip acme/$big -7'
spoil 'acme/.*big.*: its seek table has a wrong length' 'flip acme/$big -9'
spoil 'acme/.*big.*: seek table does not add' 'flip acme/$big -17'
spoil 'acme/.*big.*: seek table does not add' 'flip acme/$big -29'
spoil 'acme/.*big.*: no frame at byte 0' 'flip acme/$big 0'
spoil 'acme/.*big.*: LFPV, ledger disagree on generation' \
	"sed -i 's/\"generation\"/\"reneration\"/' acme/\$big"
spoil 'acme/.*big.*: LFPV, ledger disagree on name' \
	"sed -i 's/big.csv\",/Big.csv\",/' acme/\$big"
spoil 'beta/.*two.*: LFIX and LFPV disagree' \
	"sed -i 's/\"malformed\":7/\"malformed\":8/' beta/\$day/*.zst"
spoil 'beta/.*two.*: no LFIX frame' "sed -i s/LFIX/LFIY/ beta/\$day/*.zst"
spoil 'beta/.*two.*: no LFPV frame' \
	"sed -i 's/LFPV./LFPV\\x02/' beta/\$day/*.zst"
spoil 'beta/.*two.*: is not the file' 'flip beta/$day/*.zst 48 LFIX'
spoil 'beta/.*two.*: LFIX does not add up' 'flip beta/$day/*.zst 8 LFIX'
spoil 'beta/.*two.*: LFIX and LFPV disagree' 'flip beta/$day/*.zst 16 LFIX'
spoil 'beta/.*two.*: LFIX: wrong length' 'flip beta/$day/*.zst 24 LFIX'
spoil 'beta/.*two.*: LFIX: wrong length' 'flip beta/$day/*.zst 28 LFIX'
spoil '_quarantine/.*bad.*: is not the file' \
	'flip _quarantine/acme/$day/*.zst 49 LFIX'
