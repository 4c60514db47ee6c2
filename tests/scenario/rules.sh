#!/bin/sh
# The rules of the tree that a compiler cannot see.
. "$SRCDIR/tests/scenario/lib.sh"
cd "$SRCDIR"

# Lines found are lines that break the rule.
none()
{
	if [ -z "$2" ]; then
		ok "$1"
	else
		fail "$1" "$2"
	fi
}

# "FILE INCLUDED" for each quoted include of a file below the arguments, and
# for those in angle brackets that name one of our directories.
includes()
{
	find "$@" -name '*.[ch]' -exec grep -HEo \
		'^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"][^>"]+' {} + |
		sed -E 's/^([^:]*):.*([<"])(.*)/\1 \2 \3/' |
		while read -r file mark name; do
			if [ "$mark" = '"' ] || [ -d "src/${name%%/*}" ] ||
				[ "${name%%/*}" = landfall ]; then
				printf '%s %s\n' "$file" "$name"
			fi
		done
}

# One way only: a stage knows base/, late/, itself and the contracts.
broken=
for dir in src/*/; do
	own=${dir#src/}
	own=${own%/}
	case $own in
	daemon | cli) continue ;;
	base) also= ;;
	late) also=late ;;
	*) also="landfall late $own" ;;
	esac
	broken=$broken$(includes "$dir" | awk -v also="base $also" '
		BEGIN { n = split(also, a); for (; n; n--) ok[a[n]] = 1 }
		{ split($2, part, "/"); if (!(part[1] in ok)) print }')
done
broken=$broken$(includes include | awk '$2 !~ /^(base|landfall)\//')
none 'a stage includes base, late, landfall and its own headers only' "$broken"

# Comments out, then calls. A name after -> . or in a longer word is no call.
calls()
{
	find src -name '*.[ch]' ! -path src/base/durable.c | while read -r file
	do
		awk -v file="$file" -v words="$1" '
		{
			line = $0
			gsub(/\047([^\047\\]|\\.)\047/, "0", line)
			gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
			for (;;) {
				if (inside) {
					end = index(line, "*/")
					if (!end)
						next
					line = substr(line, end + 2)
					inside = 0
				}
				sub(/\/\/.*/, "", line)
				start = index(line, "/*")
				if (!start)
					break
				rest = substr(line, start + 2)
				end = index(rest, "*/")
				if (!end) {
					line = substr(line, 1, start - 1)
					inside = 1
					break
				}
				line = substr(line, 1, start - 1) " " \
					substr(rest, end + 2)
			}
			if ((" " line) ~ "[^A-Za-z0-9_.>](" words ")[ \t]*\\(")
				print file ":" NR ": " $0
		}' "$file"
	done
}
none 'only base/durable.c renames, links and syncs' "$(calls \
	'rename|renameat|renameat2|link|linkat|fsync|fdatasync|syncfs|sync')"
none 'no call that cannot be bounded' "$(calls \
	'strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca|system|mktemp')"

# What is in the tree: git knows; a release archive is the tree.
files()
{
	if [ -e .git ] && git ls-files >/dev/null 2>&1; then
		git ls-files
	else
		find . \( -path ./.git -o -path ./build -o -name build-aux \
			-o -name '*.cache' \) -prune -o -type f -print |
			grep -vE '/(configure|config\.status|Makefile\.in|aclocal\.m4)$'
	fi
}

# Lines of text files that match. The patterns do not match themselves.
lines()
{
	files | tr '\n' '\0' | xargs -0 -r grep -HnIE "$1" -- || :
}
none 'the tree names no host of a package registry' "$(lines \
	'[a-z](eb|ecurity|tp|napshot)[.]debian[.]|p[y]pi[.]|n[p]mjs[.]|[c]rates[.]io|prox[y][.]golang')"
none 'the tree names no path of one machine' "$(lines \
	'(^|[^A-Za-z0-9._$}/-])[/](work|home|root)/')"
none 'nothing is left to do in the code' "$(files | grep -E '\.[ch]$' |
	tr '\n' '\0' | xargs -0 -r grep -nE '\<(TO[D]O|FIX[M]E|XX[X])\>' || :)"

# Every directory of the source says what it is for.
broken=
for dir in src/ src/*/; do
	[ -s "${dir}DESIGN.md" ] || broken="$broken $dir"
done
none 'each directory of src has its DESIGN.md' "$broken"

none 'libraries that few need are loaded late' \
	"$(ldd "$LANDFALL" | grep -E 'lib(curl|archive)' || :)"
