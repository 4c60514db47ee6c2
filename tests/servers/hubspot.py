#!/usr/bin/env python3
"""hubspot.py DIR: search of contacts, companies and deals, and those archived.

A search ends at CAP results (the real one: 10,000), with 400 behind it; many
records have the same millisecond; five searches a second, with Retry-After
every other time; fields must be named. See vendor.py.
"""
import json

import vendor
from vendor import Record, Refused, iso, odd, parse_iso

START = int(parse_iso("2026-01-01T00:00:00Z"))
CAP = 200
FIELDS = ["email", "firstname", "lastmodifieddate"]
# 300 of one import within one millisecond: more than a search may give.
LIVE = {o: [Record(o, i, START + 3600 if 50 <= i < 350 else START + i * 400,
                   '{"id":"%d", %s ,"properties":{},"updatedAt":"%s","archived":false}' % (
                       i, odd(i), iso(START + 3600 if 50 <= i < 350 else START + i * 400, ms=True)))
            for i in range(1, n)] for o, n in (("contacts", 420), ("companies", 130), ("deals", 90))}
GONE = {o: [Record(o + "_archived", 9000 + i, 0, '{"id":"%d","archived":true,%s}' % (9000 + i, odd(i)))
            for i in range(n)] for o, n in (("contacts", 7), ("companies", 2), ("deals", 105))}
limit = vendor.Limiter((5, 1))
refused = 0


class HubSpot(vendor.Vendor):
    def search(self, name):
        global refused
        if limit.wait() > 0:
            refused += 1
            raise Refused(429, '{"status":"error","errorType":"RATE_LIMIT","policyName":"SECONDLY"}',
                          {"Retry-After": "1"} if refused % 2 else {})
        q = json.loads(self.body)
        if q.get("properties") != FIELDS:
            raise Refused(400, '{"message":"name the properties"}')
        if q.get("sorts") != [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]:
            raise Refused(400, '{"message":"the mock sorts by id alone"}')
        rows, modified = LIVE[name], "lastmodifieddate" if name == "contacts" else "hs_lastmodifieddate"
        for f in q["filterGroups"][0]["filters"]:
            v = int(f["value"])
            value = {modified: lambda r: int(r.at * 1000), "hs_object_id": lambda r: int(r.key)}[f["propertyName"]]
            test = {"GTE": lambda a: a >= v, "LT": lambda a: a < v, "GT": lambda a: a > v}[f["operator"]]
            rows = [r for r in rows if test(value(r))]
        at = int(q.get("after", 0))
        if at + q["limit"] > CAP:
            raise Refused(400, '{"message":"no more than %d results"}' % CAP)
        chosen = rows[at:at + q["limit"]]
        paging = ',"paging":{"next":{"after":"%d"}}' % (at + len(chosen)) if at + len(chosen) < len(rows) else ""
        return b'{"total":%d,"results":[' % len(rows) + vendor.join(chosen) + b"]" + paging.encode() + b"}", chosen, {}

    def answer(self):
        if self.headers.get("Authorization") != "Bearer pat-secret":
            raise Refused(401, '{"category":"INVALID_AUTHENTICATION"}')
        parts = self.url.path.split("/")[1:]
        if parts[:2] == ["properties", "v2"] and parts[3] == "properties":
            return json.dumps([{"name": f, "type": "string"} for f in FIELDS]), [], {}
        if parts[:3] != ["crm", "v3", "objects"] or parts[3] not in LIVE:
            raise Refused(404, "{}")
        if parts[4:] == ["search"] and self.command == "POST":
            return self.search(parts[3])
        if self.one("archived") != "true":
            raise Refused(400, '{"message":"the mock lists archived ones alone"}')
        size, at = int(self.one("limit", 10)), int(self.one("after", 0))
        chosen = GONE[parts[3]][at:at + size]
        more = at + len(chosen) < len(GONE[parts[3]])
        tail = b',"paging":{"next":{"after":"%d"}}' % (at + len(chosen)) if more else b""
        return b'{"results":[' + vendor.join(chosen) + b"]" + tail + b"}", chosen, {}


vendor.main(HubSpot, *LIVE.values(), *GONE.values())
