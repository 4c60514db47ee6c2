#!/bin/sh
# A job at a vendor's is taken up again by whoever comes after a crash: it was
# paid for, and is not created twice.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/servers/polled.sh"

LANDFALL_TEST_CLOCK=1768000000 ID=cid KEY=cs_secret REFRESH=rt_secret
export LANDFALL_TEST_CLOCK ID KEY REFRESH
mkdir api
echo "$LANDFALL_TEST_CLOCK" >api/now
start_server api salesforce.py
wait_for_port api
sed -i '/^records C/d' api/all # of an object that is not asked for
cat >sources <<END
  salesforce:
    profile: salesforce
    config: {login_url: "http://127.0.0.1:$port", objects: [Account]}
    secrets:
      client_id: {env: ID}
      client_secret: {env: KEY}
      refresh_token: {env: REFRESH}
    retry: {base: 10ms, max: 50ms}
    streams: {records: {start: "2026-01-01", job: {poll: {every: 20ms}}}}
END
lake lake <sources

# killed_at PATTERN: a run that is killed once the API's log has that.
killed_at()
{
	: >api/log
	"$LANDFALL" run --once -c lake/landfall.yaml --quiet >run.out 2>&1 &
	victim=$!
	for _ in $(seq 600); do
		! grep -q "$1" api/log || break
		sleep 0.05
	done
	kill -9 "$victim"
	wait "$victim" 2>/dev/null || :
}

created()
{
	grep -c 'POST.*/jobs/query 200' api/log || :
}

echo '[{"match": "GET.*/jobs/query/[0-9]*$", "times": 9999, "status": 200,
	"body": "{\"state\": \"InProgress\"}"}]' >api/faults
killed_at 'GET.*/jobs/query/750000 200'
expect_same 'a run that is killed while its job is under way' 1 "$(created)"
expect_same 'status knows of the job' 1 "$("$LANDFALL" status \
	-c lake/landfall.yaml | grep -c 'object=Account: .*; its job is under way')"
echo '[{"match": "GET.*/results", "times": 9999, "status": 503,
	"headers": {"Retry-After": "60"}, "body": "[]"}]' >api/faults
killed_at 'jobs/query/750000/results.* 503'
expect_same 'one that is killed while it takes the results' 0 "$(created)"
rm api/faults
: >api/log
expect 'one that is not disturbed' run lake
expect_same 'it has created no job' 0 "$(created)"
expect_same 'it took the results of the first one, and dropped them' '3 1' \
	"$(grep -c 'GET.*/750000/results.* 200' api/log) $(
		grep -c 'DELETE.*/750000 200' api/log)"
expect 'all of it has landed' python3 "$SRCDIR/tests/servers/landed.py" \
	"$LANDFALL" lake/landfall.yaml salesforce api records
expect_same 'nothing is under way any more' 0 "$("$LANDFALL" status \
	-c lake/landfall.yaml | grep -c 'its job is under way' || :)"
expect 'all is sound' sound lake

# ---- a job whose creation cannot be recorded was created all the same ----
expect 'its exchanges are recorded' eval 'lake recorded <sources &&
	run recorded --record kept'
posted=$(grep -l 'POST.*/jobs/query"' kept/salesforce/*.json | head -n 1)
posted=$(basename "$posted" .json)
for part in json body; do
	lake "full-$part" <sources
	mkdir -p "kept-$part/salesforce/$posted.$part"
	: >api/log
	expect_status "a run whose $posted.$part has no place" 3 \
		run "full-$part" --record "kept-$part"
	expect_same 'it created a job' 1 "$(created)"
	expect_same 'and asked nothing behind it' 1 \
		"$(sed -n '/POST.*jobs.query 200/,$p' api/log | wc -l)"
	: >api/log
	expect 'the next run' run "full-$part"
	expect_same 'it asks for that one first' GET "$(sed -n \
		's/ .*jobs.query.*//p' api/log | head -n 1)"
	expect 'all of it has landed' python3 "$SRCDIR/tests/servers/landed.py" \
		"$LANDFALL" "full-$part/landfall.yaml" salesforce api records
done
