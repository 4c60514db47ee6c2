#!/usr/bin/env python3
"""zendesk.py DIR: incremental export of tickets and users as Zendesk has it.

A cursor that is good for ever; after_url also at the end, which
end_of_stream tells; nothing of the last minute; a start_time must be older
than that; ten requests a minute. See vendor.py.
"""
import base64

import vendor
from vendor import Record, Refused, iso, odd, parse_iso

START = int(parse_iso("2026-01-01T00:00:00Z"))
PAGE = 40
# Several in one second, the last ones within the last minute of the first run.
TICKETS = [Record("tickets", i, START + i // 4 * 600, '{"id":%d,%s , "status":"%s","updated_at":"%s"}' % (
    i, odd(i), "deleted" if i % 20 == 19 else "open", iso(START + i // 4 * 600))) for i in range(130)]
USERS = [Record("users", 1000 + i, START + i * 60, '{"id":%d,%s, "active": %s}' % (
    1000 + i, odd(i), "false" if i == 3 else "true")) for i in range(12)]
limit = vendor.Limiter((10, 60))


class Zendesk(vendor.Vendor):
    def answer(self):
        want = base64.b64encode(b"ops@acme.example/token:zd_secret").decode()
        if self.headers.get("Authorization") != "Basic " + want:
            raise Refused(401, '{"error":"Couldn\'t authenticate you"}')
        wait = limit.wait()
        if wait > 0:
            raise Refused(429, '{"error":"APIRateLimitExceeded"}', {"Retry-After": str(int(wait) + 1)})
        parts = self.url.path.split("/")
        if parts[:4] != ["", "api", "v2", "incremental"] or parts[5:] != ["cursor.json"]:
            raise Refused(404, '{"error":"InvalidEndpoint"}')
        name = parts[4]
        rows = {"tickets": TICKETS, "users": USERS}[name]
        rows = [r for r in rows if r.at < vendor.now() - 60]
        cursor, start = self.one("cursor"), self.one("start_time")
        if (cursor is None) == (start is None):
            raise Refused(400, '{"error":"cursor or start_time"}')
        if cursor is not None:
            at = int(base64.b64decode(cursor))
        else:
            if int(start) > vendor.now() - 60:
                raise Refused(422, '{"error":"start_time is too recent"}')
            at = next((i for i, r in enumerate(rows) if r.at >= int(start)), len(rows))
        chosen = rows[at:at + PAGE]
        token = base64.b64encode(str(at + len(chosen)).encode()).decode()
        end = at + len(chosen) >= len(rows)
        body = '"after_url":"%s%s?cursor=%s","after_cursor":"%s","end_of_stream":%s}' % (
            self.origin(), self.url.path, token, token, "true" if end else "false")
        return b'{"' + name.encode() + b'":[' + vendor.join(chosen) + b"]," + body.encode(), chosen, {
            "ratelimit-limit": "700", "ratelimit-remaining": "600", "ratelimit-reset": "30"}


vendor.main(Zendesk, TICKETS, USERS)
