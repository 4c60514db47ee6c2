#!/bin/sh
# Partitions that another stream gives: each of its records is asked for, once,
# and none when its list did not come to its end.
. "$SRCDIR/tests/scenario/lib.sh"
command -v python3 >/dev/null || skip 'no python3'

mkdir api
python3 - >api/data <<'END'
import json
groups = [{"id": "g/%d" % i} for i in range(5)] + [{"id": "g/1"}]
data = {"/groups": groups}
for g in groups:
    data["/of/g%%2F%s" % g["id"][2:]] = [{"id": g["id"] + "-%d" % k} for k in range(3)]
print(json.dumps(data))
END
echo '[]' >api/rules
mkfifo api/hold
python3 "$SRCDIR/tests/scenario/api-server.py" api <api/hold &
exec 8>api/hold
for _ in $(seq 600); do
	[ ! -e api/port ] || break
	sleep 0.05
done

"$LANDFALL" init lake --quiet
sed -i '/^sources:/,$d' lake/landfall.yaml
cat >>lake/landfall.yaml <<END
sources:
  crm:
    base_url: http://127.0.0.1:$(cat api/port)
    pagination: {type: link, next: {link: next}}
    retry: {max_attempts: 2, base: 10ms, max: 20ms}
    streams:
      groups:
        enabled: false
        request: {path: /groups, query: {size: "2"}}
        records: "\$.data[*]"
      members:
        request: {path: "/of/{{partition.group}}"}
        partitions: {from: groups, select: {group: \$.id}}
        records: "\$.data[*]"
        key: \$.id
END

landed()
{
	find lake/zone -name '*.zst' | while read -r file; do
		"$LANDFALL" cat "$file" -c lake/landfall.yaml --records
	done | grep -o '"id": *"[^"]*"' | sort | uniq -c | wc -l
}

echo '[{"match": "groups.*page=2", "times": 9, "status": 503}]' >api/rules
expect_status 'a list that is cut short' 3 \
	"$LANDFALL" run --once -c lake/landfall.yaml --quiet
expect_same 'nothing is asked for half of it' 0 "$(grep -c '/of/' api/log || :)"
echo '[]' >api/rules
expect 'a whole one' "$LANDFALL" run --once -c lake/landfall.yaml --quiet
expect_same 'the members of each group' 15 "$(landed)"
expect_same 'each group is asked for once' 5 "$(grep -c '/of/' api/log)"
exec 8>&-
