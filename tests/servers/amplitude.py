#!/usr/bin/env python3
"""amplitude.py DIR: the Export API.

Hours, both ends inclusive, available two hours after they end; a zip of gzip
files of JSON lines, one of them empty; 404 for nothing, 400 for more than
LARGEST events. See vendor.py.
"""
import base64
import calendar
import gzip
import io
import time
import zipfile

import vendor
from vendor import Record, Refused, odd, parse_iso

START = int(parse_iso("2026-01-01T00:00:00Z"))
LARGEST = 40
STAMPS = [START + i * 900 for i in range(120)] + [START + 3 * 86400 + i for i in range(30)]
EVENTS = [Record("events", "u%d" % i, at, '{"uuid":"u%d",%s ,"server_upload_time":"%s.%06d"}' % (
    i, odd(i).replace("\n", " "), time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at)), i))
    for i, at in enumerate(STAMPS)]


class Amplitude(vendor.Vendor):
    def hour(self, name):
        return calendar.timegm(time.strptime(self.one(name), "%Y%m%dT%H"))

    def answer(self):
        want = base64.b64encode(b"am_key:am_secret").decode()
        if self.headers.get("Authorization") != "Basic " + want:
            raise Refused(401, "Unauthorized")
        if self.url.path != "/api/2/export":
            raise Refused(404, "Not Found")
        low, high = self.hour("start"), self.hour("end") + 3600
        if high > vendor.now() - 7200 + 1:
            raise Refused(400, "the mock has no such hours yet")
        rows = [r for r in EVENTS if low <= r.at < high]
        if not rows:
            raise Refused(404, "Raw data files were not found.")
        if len(rows) > LARGEST:
            raise Refused(400, "The file size is too large")
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
            for part in range(3):
                some = rows[part::2] if part < 2 else []
                z.writestr("123/123_2026-01-01_%d#%d.json.gz" % (part, part), gzip.compress(
                    b"".join(r.raw + b"\n" for r in some)))
        return out.getvalue(), rows, {"Content-Type": "application/zip"}


vendor.main(Amplitude, EVENTS)
