# A server of Python's library serves a request. What is done while the server is not there
# yet is seen in any case: the first try is before it starts.
get() { curl -sS "http://127.0.0.1:$PORT/page.html" 2>/dev/null; }
again() { kill -0 "$1" && sleep 0.02; }
echo served >page.html
! get
again $$
python3 -m http.server --bind 127.0.0.1 "$PORT" >log 2>&1 &
until get; do again $!; done
kill $!
