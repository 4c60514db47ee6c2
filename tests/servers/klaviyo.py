#!/usr/bin/env python3
"""klaviyo.py DIR: events, profiles and campaigns as Klaviyo has them.

Inclusive filters on events and campaigns, strict ones on profiles; links.next
with everything in it; 400 without a revision; included; a burst limit with
Retry-After. See vendor.py.
"""
import base64
import re
import urllib.parse

import vendor
from vendor import Record, Refused, iso, odd, parse_iso

START = parse_iso("2026-01-01T00:00:00Z")
CHANNELS = ("email", "sms", "mobile_push")


def make(stream, i, at, field):
    return Record(stream, i, at, '{"type": "%s", %s ,"id": "%s","attributes": {"%s": "%s"}}' % (
        stream, odd(i), i, field, iso(at)))


# On window edges too: midnights, and the first second of all.
EVENTS = [make("events", i, START + i * 6 * 3600, "datetime") for i in range(120)]
PROFILES = [make("profiles", i, START + i * 43200, "updated") for i in range(61)]
CAMPAIGNS = {c: [make("campaigns", "%s-%d" % (c, i), START + i * 86400, "updated_at")
                 for i in range(5)] for c in CHANNELS}
METRICS = [Record("events_included", "m%d" % i, 0, '{"type":"metric","id":"m%d" , %s}' % (i, odd(i)))
           for i in range(2)]
burst = vendor.Limiter((4, 1), (1000, 60))


class Klaviyo(vendor.Vendor):
    media = "application/vnd.api+json"

    def refuse(self, status, detail, headers=None):
        raise Refused(status, '{"errors":[{"status":%d,"detail":"%s"}]}' % (status, detail), headers)

    def bounds(self, text, field, allowed):
        low, high = (lambda t: True), (lambda t: True)
        for op, name, value in re.findall(r"([a-z-]+)\(([a-z_.]+),([^()]*)\)", text):
            if name == "messages.channel":
                continue
            if name != field or op not in allowed:
                self.refuse(400, "filter %s on %s" % (op, name))
            at = parse_iso(value)
            if op == "greater-or-equal":
                low = lambda t, at=at: t >= at
            elif op == "greater-than":
                low = lambda t, at=at: t > at
            elif op == "less-than":
                high = lambda t, at=at: t < at
        return lambda t: low(t) and high(t)

    def page(self, records, most):
        size = int(self.one("page[size]", 20))
        if size > most:
            self.refuse(400, "page[size] over %d" % most)
        at = int(base64.urlsafe_b64decode(self.one("page[cursor]", "MA==")))
        chosen = records[at:at + size]
        following = "null"
        if at + size < len(records):
            q = [(k, v) for k, v in urllib.parse.parse_qsl(self.url.query) if k != "page[cursor]"]
            q.append(("page[cursor]", base64.urlsafe_b64encode(str(at + size).encode()).decode()))
            following = '"%s%s?%s"' % (self.origin(), self.url.path, urllib.parse.urlencode(q))
        return chosen, ',"links":{"self":"x","next":%s}}\n' % following

    def answer(self):
        if self.headers.get("Authorization") != "Klaviyo-API-Key pk_secret":
            self.refuse(401, "no such key")
        if not re.fullmatch(r"\d{4}-\d\d-\d\d(\.pre)?", self.headers.get("revision", "")):
            self.refuse(400, "a revision is required")
        wait = burst.wait()
        if wait > 0:
            self.refuse(429, "throttled", {"Retry-After": str(int(wait) + 1)})
        text = self.one("filter", "")
        included = []
        if self.url.path == "/api/events":
            keep = self.bounds(text, "datetime", ("greater-or-equal", "greater-than", "less-than", "less-or-equal"))
            chosen, tail = self.page([r for r in EVENTS if keep(r.at)], 1000)
            included = METRICS if chosen and "include=" in self.path else []
        elif self.url.path == "/api/profiles":
            if "fields[profile]" in self.query():
                rows = [Record("profile_ids", r.key, 0, '{"id":"%s"}' % r.key) for r in PROFILES]
            else:
                keep = self.bounds(text, "updated", ("greater-than", "less-than"))
                rows = [r for r in PROFILES if keep(r.at)]
            chosen, tail = self.page(rows, 100)
        elif self.url.path == "/api/campaigns":
            channel = re.search(r"equals\(messages\.channel,'(\w+)'\)", text)
            if not channel or channel[1] not in CHANNELS:
                self.refuse(400, "a channel is required")
            keep = self.bounds(text, "updated_at", ("greater-or-equal", "less-than"))
            chosen, tail = self.page([r for r in CAMPAIGNS[channel[1]] if keep(r.at)], 100)
        else:
            self.refuse(404, "no such path")
        body = b'{"data":[' + vendor.join(chosen) + b"]"
        if included:
            body += b',"included":[' + vendor.join(included) + b"]"
        return body + tail.encode(), chosen + included, {
            "RateLimit-Limit": "1000", "RateLimit-Remaining": "900", "RateLimit-Reset": "30"}


vendor.main(Klaviyo, EVENTS, PROFILES, *CAMPAIGNS.values())
