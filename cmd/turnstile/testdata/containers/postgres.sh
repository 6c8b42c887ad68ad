# A database is made, started, asked and stopped.
export PGDATA="$WORK/db" PGHOST="$WORK"
initdb --no-sync -A trust -U tester --no-locale -E UTF8 >log 2>&1 || { cat log; exit 1; }
pg_ctl -w -l log -o "-h '' -k '$WORK'" start >/dev/null || { cat log; exit 1; }
psql -X -At -U tester postgres -c 'create table t as select generate_series(1, 1000) n' -c 'select sum(n) from t'
pg_ctl -w -m fast stop >/dev/null
