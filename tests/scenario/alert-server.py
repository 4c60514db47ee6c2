#!/usr/bin/env python3
"""An endpoint for alerts that behaves badly on purpose.

    alert-server.py DIR [MODE...]

Writes its port to DIR/port. Each request takes the next MODE (the last one
stays): a status such as 200 or 503, "hang" (reads, never answers) or
"redirect". What came is appended to DIR/got, one JSON object a line: method,
path, headers, body, mode. Ends with its standard input.
"""
import http.server
import json
import os
import sys
import threading

where, modes = sys.argv[1], sys.argv[2:] or ['200']
lock = threading.Lock()
served = 0


class Endpoint(http.server.BaseHTTPRequestHandler):
    def answer(self):
        global served
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        with lock:
            mode = modes[min(served, len(modes) - 1)]
            served += 1
            with open(where + '/got', 'a') as f:
                f.write(json.dumps({
                    'method': self.command, 'path': self.path,
                    'headers': dict(self.headers), 'mode': mode,
                    'body': body.decode()}) + '\n')
        if mode == 'hang':
            threading.Event().wait(600)
        elif mode == 'redirect':
            self.send_response(302)
            self.send_header('Location', '/elsewhere')
            self.end_headers()
        else:
            self.send_response(int(mode))
            self.end_headers()
            self.wfile.write(b'said the endpoint\n')

    do_POST = do_GET = answer

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Endpoint)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
with open(where + '/port.new', 'w') as f:
    f.write('%d\n' % server.server_address[1])
os.rename(where + '/port.new', where + '/port')
sys.stdin.read()
