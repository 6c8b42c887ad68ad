# A server with threads, under load. What is done while the server is not there yet is seen
# in any case: the first try is before it starts.
ready() { redis-cli -s "$WORK/redis.sock" ping >/dev/null 2>&1; }
again() { kill -0 "$1" && sleep 0.02; }
! ready
again $$
redis-server --port 0 --unixsocket "$WORK/redis.sock" --save '' --dir "$WORK" >log &
until ready; do again $!; done
redis-benchmark -s "$WORK/redis.sock" -n 200 -c 5 -q -t ping,set,get >/dev/null
redis-cli -s "$WORK/redis.sock" set key value
redis-cli -s "$WORK/redis.sock" get key
redis-cli -s "$WORK/redis.sock" shutdown nosave
