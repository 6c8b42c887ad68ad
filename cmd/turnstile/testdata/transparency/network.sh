# A web server and its clients, over IPv4 and IPv6; datagrams; many connections at a
# time, some of them to nobody.
. "$DATA/lib.sh"

mkdir "$SCRATCH/www"
seq 400000 >"$SCRATCH/www/numbers"
cat >"$SCRATCH/server.py" <<'end'
import http.server, os, socket, sys

class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    request_queue_size = 100

class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args): pass
    def do_PUT(self):
        size = int(self.headers["Content-Length"])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"%d\n" % sum(self.rfile.read(size)))

os.chdir(sys.argv[1])
server = Server(("::", 0), Handler)
with open("../port.new", "w") as f:
    f.write(str(server.server_port))
os.rename("../port.new", "../port")
server.serve_forever()
end
python3 "$SCRATCH/server.py" "$SCRATCH/www" &
trap 'kill $!' EXIT
while ! test -e "$SCRATCH/port"; do sleep 0.05; done
port=$(cat "$SCRATCH/port")
for host in 127.0.0.1 '[::1]' 0.0.0.0 localhost; do
	curl -sSg --no-progress-meter --noproxy '*' "http://$host:$port/numbers" | cksum
	curl -sSg --no-progress-meter --noproxy '*' -T "$SCRATCH/www/numbers" -H Expect: "http://$host:$port/numbers"
done
curl -sSg --no-progress-meter --noproxy '*' --parallel --parallel-max 20 -o "$SCRATCH/got#1" "http://127.0.0.1:$port/numbers?[1-40]" && cksum "$SCRATCH"/got* | cut -d ' ' -f 1,2 | uniq -c
python3 - "$port" <<'end'
import errno, socket, sys, threading

def result(f, *args):
    try:
        return f(*args)
    except OSError as e:
        return errno.errorcode.get(e.errno, str(e))

closed = socket.socket(); closed.bind(("127.0.0.1", 0)); nobody = closed.getsockname()
print("refused", result(socket.create_connection, nobody))
s = socket.socket(); s.setblocking(False)
print("in progress", result(s.connect, ("127.0.0.1", int(sys.argv[1]))))
a, b = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in "ab")
for x in a, b:
    x.bind(("127.0.0.1", 0))
for size in 0, 1, 1000, 65507, 65508:
    print("datagram", size, result(a.sendto, b"x" * size, b.getsockname()))
    print("message", size, result(a.sendmsg, [b"x" * size], [], 0, b.getsockname()))
print("came", [len(b.recv(70000)) for _ in range(8)])
# A stream that waits is sent whole.
l = socket.create_server(("127.0.0.1", 0)); c = socket.create_connection(l.getsockname()); d = l.accept()[0]
got = []
def drain():
    while data := d.recv(1 << 16):
        got.append(len(data))
t = threading.Thread(target=drain); t.start()
print("sent", c.sendmsg([b"y" * 3000000, b"z" * 3000001])); c.close(); t.join()
print("came", sum(got))
end
