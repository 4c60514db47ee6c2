#!/usr/bin/env python3
"""salesforce.py DIR: query jobs of Bulk API 2.0 and getDeleted.

A login that says where to go, and a token that is refused after TOKEN_CALLS
requests; describe with fields Bulk cannot have; states of a job, one that
fails and one that vanishes; CSV in pages by locator, with line ends in
quotes; with DIR/repeat each page has the header again. See vendor.py.
"""
import json
import os
import urllib.parse

import vendor
from vendor import Record, Refused, iso, parse_iso

START = int(parse_iso("2026-01-01T00:00:00Z"))
TOKEN_CALLS = 9
ROWS_A_PAGE = 25
FIELDS = ["Id", "Name", "IsDeleted", "SystemModstamp"]
HEADER = '"Id","Name","IsDeleted","SystemModstamp"\n'


def row(obj, i):
    name = ("plain", "line\nend", 'say ""no""', "nul\0", "é;,")[i % 5]
    return Record("records", "%s%03d" % (obj[0], i), START + i * 3600, '"%s%03d","%s","%s","%s"\n' % (
        obj[0], i, name, "true" if i % 17 == 16 else "false", iso(START + i * 3600, ms=True)))


ROWS = {"Account": [row("Account", i) for i in range(60)], "Contact": [row("Contact", i) for i in range(5)]}
DELETED = {o: [Record("deleted", "%sD%d" % (o[0], i), START + 3600 * i,
                      '{"id":"%sD%d","deletedDate":"%s"}' % (o[0], i, iso(START + 3600 * i)))
               for i in range(4)] for o in ROWS}
token, calls, made, jobs = 0, 0, 0, {}


class Salesforce(vendor.Vendor):
    def refuse(self, status, code):
        raise Refused(status, '[{"errorCode":"%s","message":"as the mock sees it"}]' % code)

    def login(self):
        global token, calls
        form = dict(urllib.parse.parse_qsl(self.body.decode()))
        if form != {"grant_type": "refresh_token", "client_id": "cid", "client_secret": "cs_secret",
                    "refresh_token": "rt_secret"}:
            raise Refused(400, '{"error":"invalid_grant"}')
        token, calls = token + 1, 0
        return json.dumps({"access_token": "at_secret_%d" % token, "instance_url": self.origin() + "/inst"}), [], {}

    def check(self):
        global calls
        calls += 1
        if calls > TOKEN_CALLS or self.headers.get("Authorization") != "Bearer at_secret_%d" % token:
            self.refuse(401, "INVALID_SESSION_ID")

    def create(self):
        global made
        q = json.loads(self.body)["query"].split()
        # SELECT f,f FROM o WHERE SystemModstamp >= a AND SystemModstamp < b
        if q[1].split(",") != FIELDS:
            self.refuse(400, "INVALIDENTITY")
        low, high = parse_iso(q[7]), parse_iso(q[11])
        number = "750%03d" % made
        made += 1
        jobs[number] = {"rows": [r for r in ROWS[q[3]] if low <= r.at < high], "asked": 0, "lost": False}
        return json.dumps({"id": number, "state": "UploadComplete"}), [], {}

    def job(self, parts):
        job = jobs.get(parts[0])
        if job is None or job["lost"]:
            self.refuse(404, "NOT_FOUND")
        if self.command == "DELETE":
            del jobs[parts[0]]
            return "", [], {}
        if parts[1:] != ["results"]:
            job["asked"] += 1
            state = ["InProgress", "JobComplete"][job["asked"] > 1]
            if parts[0] == "750001" and job["asked"] > 1:
                state = "Failed"
            job["lost"] = parts[0] == "750003" and state == "JobComplete"
            return json.dumps({"id": parts[0], "state": state}), [], {}
        at = int(self.one("locator", "0"))
        chosen = job["rows"][at:at + ROWS_A_PAGE]
        more = at + len(chosen) < len(job["rows"])
        head = HEADER if at == 0 or os.path.exists(os.path.join(vendor.HOME, "repeat")) else ""
        return head.encode() + b"".join(r.raw for r in chosen), chosen, {
            "Content-Type": "text/csv", "Sforce-Locator": str(at + len(chosen)) if more else "null",
            "Sforce-NumberOfRecords": str(len(chosen))}

    def answer(self):
        if self.url.path == "/services/oauth2/token":
            return self.login()
        self.check()
        prefix = "/inst/services/data/v66.0/"
        if not self.url.path.startswith(prefix):
            self.refuse(404, "NOT_FOUND")
        parts = self.url.path[len(prefix):].strip("/").split("/")
        if parts[:2] == ["jobs", "query"]:
            return self.create() if self.command == "POST" else self.job(parts[2:])
        if parts[0] != "sobjects" or parts[1] not in ROWS:
            self.refuse(404, "NOT_FOUND")
        if parts[2] == "describe":
            fields = [{"name": f, "type": "string"} for f in FIELDS] + [{"name": "BillingAddress", "type": "address"}]
            return json.dumps({"fields": fields}), [], {}
        low, high = (parse_iso(self.one(n)) // 60 * 60 for n in ("start", "end"))
        chosen = [r for r in DELETED[parts[1]] if low <= r.at < high]
        return b'{"deletedRecords":[' + vendor.join(chosen) + b'],"latestDateCovered":"x"}', chosen, {}


vendor.main(Salesforce, *ROWS.values(), *DELETED.values())
