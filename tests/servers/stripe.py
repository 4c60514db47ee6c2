#!/usr/bin/env python3
"""stripe.py DIR: events, customers and subscriptions as Stripe has them.

Newest first, has_more, starting_after; events of 30 days alone; .deleted
events; Stripe-Should-Retry. See vendor.py.
"""
import vendor
from vendor import Record, Refused, odd, parse_iso

START = int(parse_iso("2026-01-01T00:00:00Z"))
DAY = 86400


def thing(kind, i, at):
    return Record(kind + "s", "%s_%d" % (kind[:3], i), at,
                  '{"id": "%s_%d", "object":"%s",%s, "created": %d}' % (kind[:3], i, kind, odd(i), at))


def event(i, at):
    gone = i % 10 == 9
    return Record("events", "evt_%d" % i, at, (
        '{"id":"evt_%d" ,"object":"event",%s,"created":%d,"type":"customer.%s",'
        '"data":{"object":{"id":"cus_%d"%s}}}') % (
            i, odd(i), at, "deleted" if gone else "updated", i, ',"deleted":true' if gone else ""))


# The same second several times, and on the edges of days.
DATA = {
    "events": [event(i, START + i // 3 * 7200) for i in range(400)],
    "customers": [thing("customer", i, START + i * 3600) for i in range(250)],
    "subscriptions": [thing("subscription", i, START + i * DAY) for i in range(20)],
}


class Stripe(vendor.Vendor):
    def refuse(self, status, text, retry=None):
        raise Refused(status, '{"error":{"message":"%s"}}' % text,
                      {} if retry is None else {"Stripe-Should-Retry": retry})

    def answer(self):
        if self.headers.get("Authorization") != "Bearer sk_secret":
            self.refuse(401, "Invalid API Key provided")
        if not self.headers.get("Stripe-Version", "").startswith("2026-"):
            self.refuse(400, "no version")
        name = self.url.path.removeprefix("/v1/")
        if name not in DATA:
            self.refuse(404, "Unrecognized request URL")
        if name == "subscriptions" and self.one("status") != "all":
            self.refuse(400, "the mock wants status=all")
        limit = int(self.one("limit", 10))
        if not 1 <= limit <= 100:
            self.refuse(400, "limit")
        low, high = int(self.one("created[gte]", 0)), int(self.one("created[lt]", 1 << 40))
        if name == "events":
            low = max(low, vendor.now() - 30 * DAY)
        rows = [r for r in reversed(DATA[name]) if low <= r.at < high and r.at <= vendor.now()]
        after = self.one("starting_after")
        if after is not None:
            keys = [r.key for r in reversed(DATA[name])]
            if after not in keys:
                self.refuse(400, "No such object: " + after)
            rest = set(keys[keys.index(after) + 1:])
            rows = [r for r in rows if r.key in rest]
        chosen = rows[:limit]
        more = "true" if len(rows) > limit else "false"
        return (b'{"object":"list","url":"/v1/' + name.encode() + b'","data":[' + vendor.join(chosen) +
                b'],"has_more":' + more.encode() + b"}", chosen, {})


vendor.main(Stripe, *DATA.values())
