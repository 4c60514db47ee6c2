#!/bin/sh
# Partitions that another stream gives: each of its records is asked for, once,
# and none when its list did not come to its end.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/servers/polled.sh"

mkdir api
python3 - >api/data <<'END'
import json
groups = [{"id": "g/%d" % i} for i in range(5)] + [{"id": "g/1"}]
data = {"/groups": groups}
for g in groups:
    data["/of/g%%2F%s" % g["id"][2:]] = [{"id": g["id"] + "-%d" % k} for k in range(3)]
print(json.dumps(data))
END
serve_api api

lake lake <<END
  crm:
    base_url: $url
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

# How many members there are, each once.
members()
{
	records lake | grep -o '"id": *"[^"]*"' | sort -u | wc -l
}

rules api '{"match": "groups.*page=2", "times": 9, "status": 503}'
expect_status 'a list that is cut short' 3 run lake
expect_same 'nothing is asked for half of it' 0 "$(grep -c '/of/' api/log || :)"
rules api
expect 'a whole one' run lake
expect_same 'the members of each group' 15 "$(members)"
expect_same 'each group is asked for once' 5 "$(grep -c '/of/' api/log)"
