#!/bin/sh
# @modelcontextprotocol/inspector 2.12.0 (--cli): a server that refuses everybody seems to have no tools.
#
# A server may leave `initialize` open and require a key for everything else. After initializing, the inspector sends a GET,
# which a server without streams need not support (405). If the GET is 401 with `WWW-Authenticate`, the inspector sends no
# tools/list at all: it prints an empty list and exits with status 0. If the GET is 405 and tools/list is 401, it reports
# the 401.
#
# Seen:     "tools": [], status 0, and no request for tools/list
# Expected: the error that the inspector prints after a 405 to the GET (auth_required, status 3)
set -eu
folder=$(mktemp -d)
trap 'kill "${server:-}" 2> /dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
echo '{"private": true}' > package.json
npm install --no-audit --no-fund --ignore-scripts --silent @modelcontextprotocol/inspector@2.12.0 > /dev/null
cat > server.py << 'END'
import http.server, json, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.respond(int(sys.argv[1]), {})

    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with open(sys.argv[2], "a") as methods:
            print(message["method"], file=methods)
        if message["method"] == "initialize":
            info = {"name": "server", "version": "1"}
            result = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": info}
            self.respond(200, {"jsonrpc": "2.0", "id": message["id"], "result": result})
        else:
            self.respond(401 if "id" in message else 202, {})

    def respond(self, status, document):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status == 401:
            self.send_header("WWW-Authenticate", 'Bearer realm="server"')
        self.end_headers()
        if status != 202:
            self.wfile.write(json.dumps(document).encode())

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
END
inspect() { # prints what the inspector prints and its status, if a GET has this status
    python3 server.py "$1" "methods-$1" > port &
    server=$!
    while [ ! -s port ]; do sleep 0.1; done
    status=0
    HOME=$folder node_modules/.bin/mcp-inspector --cli "http://127.0.0.1:$(cat port)/mcp" --transport http \
        --method tools/list < /dev/null 2>&1 || status=$?
    kill "$server"
    rm port
    echo "status $status"
}
inspect 405 > after-405
inspect 401 > after-401
cat after-405 after-401
grep -q auth_required after-405 && grep -q '"tools": \[\]' after-401 && grep -q '^status 0$' after-401 \
    && grep -q tools/list methods-405 && ! grep -q tools/list methods-401 \
    || { echo "The behaviour has changed." >&2; exit 1; }
