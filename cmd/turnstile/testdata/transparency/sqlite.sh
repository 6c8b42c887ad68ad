# Several writers on one database with a write-ahead log: locks and shared memory.
. "$DATA/lib.sh"

db=$SCRATCH/test.db
sqlite3 "$db" 'pragma journal_mode=wal; create table t(who int, n int, text, primary key (who, n));'
for who in 1 2 3 4; do
	for n in $(seq 1 40); do
		echo "begin immediate; insert into t values ($who, $n, hex(zeroblob(500))); commit;"
		[ $((n % 10)) -ne 0 ] || echo "select count(*) from t where who = $who;"
	done | sqlite3 -cmd '.timeout 60000' "$db" >"count.$who" &
done
wait
cat count.*
sqlite3 "$db" 'pragma integrity_check; select who, count(*), sum(n), sum(length(text)) from t group by who; pragma wal_checkpoint(truncate);'
ls "$SCRATCH"
for mode in delete truncate persist memory; do
	sqlite3 mode.db "pragma journal_mode=$mode; create table if not exists m(x); begin; insert into m values ('$mode'); commit; select count(*) from m;"
done
sqlite3 mode.db 'vacuum; pragma integrity_check'
sqlite3 mode.db .dump >dump; cat dump; rm -f mode.db*
try sqlite3 "file:mode.db?mode=ro" 'select 1 from x' 2>&1
try sqlite3 /etc/not-mine/x.db 'create table x(y)' 2>&1
