#!/bin/sh
# http.client of Python 3.11 to 3.13 (also under requests and urllib3): 103 Early Hints is taken for the final response.
#
# A server may send responses 1xx before the final one, and a client must be able to parse them (RFC 9110 section 15.2).
# http.client skips 100 Continue only. The final response stays unread in the connection. h11 and curl skip all of them.
#
# Seen: 103. Expected: 200.
set -eu
status=$(python3 -c '
import http.client, socket, threading

listener = socket.create_server(("127.0.0.1", 0))

def respond():
    connection, _ = listener.accept()
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    connection.close()

threading.Thread(target=respond).start()
client = http.client.HTTPConnection(*listener.getsockname())
client.request("POST", "/", b"x")
print(client.getresponse().status)
')
echo "$status"
[ "$status" = 103 ] || { echo "The behaviour has changed." >&2; exit 1; }
