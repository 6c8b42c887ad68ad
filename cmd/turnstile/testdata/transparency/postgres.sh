# A database server: shared memory, many processes, a Unix socket, checkpoints. The
# server refuses to run as root. With the arguments PROGRAM USER, root gives its rights
# up for that user first.
. "$DATA/lib.sh"

if [ $# -eq 2 ]; then
	chown "$2": "$HOME" "$SCRATCH"
	case $1 in
	setpriv) exec setpriv --reuid "$2" --regid "$(id -g "$2")" --init-groups -- dash -eu "$0" ;;
	su) exec su --preserve-environment --shell /bin/sh --command "exec dash -eu '$0'" "$2" ;;
	esac
fi

export PGDATA="$SCRATCH/db" PGHOST="$SCRATCH" PGUSER=tester PGDATABASE=postgres
initdb --no-sync -A trust -U tester --no-locale -E UTF8 >"$SCRATCH/log" 2>&1 || { tail -n 30 "$SCRATCH/log" >&2; exit 1; }
cat >>"$PGDATA/postgresql.conf" <<end
listen_addresses = ''
unix_socket_directories = '$SCRATCH'
shared_buffers = 16MB
checkpoint_timeout = 30s
end
stat -c '%n %a %F' "$PGDATA"/* | sed "s,$SCRATCH,,"
trap 'pg_ctl -m immediate stop >/dev/null 2>&1 || :' EXIT
pg_ctl -w -t 120 -l "$SCRATCH/log" start >/dev/null
stat -c '%F %a' "$SCRATCH/.s.PGSQL.5432"
pgbench -q -i -s 1 >/dev/null 2>&1
pgbench -n -c 4 -j 2 -t "${TRANSACTIONS:-50}" --random-seed=1 2>&1 | grep -E 'processed|failed'
psql -X -At <<'end'
select count(*) from pgbench_history;
select (select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history);
create table copied as select generate_series(1, 20000) n, md5('x') t;
create index on copied(n);
set max_parallel_workers_per_gather = 2; set min_parallel_table_scan_size = 0; set parallel_setup_cost = 0;
select count(*), sum(n) from copied;
checkpoint;
vacuum full copied;
create database other template template0;
\! id -u >/dev/null
copy (select * from copied where n <= 3) to stdout;
drop database other;
select pg_size_pretty(1024::bigint), count(*) > 0 from pg_ls_waldir();
select setting from pg_settings where name = 'dynamic_shared_memory_type';
end
pg_ctl -w -m fast stop >/dev/null
pg_controldata | grep 'cluster state'
pg_ctl -w -t 120 -l "$SCRATCH/log" start >/dev/null
psql -X -At -c 'select count(*) from copied'
pg_ctl -w -m immediate stop >/dev/null
pg_ctl -w -t 120 -l "$SCRATCH/log" start >/dev/null
psql -X -At -c 'select count(*) from copied'
psql -X -At -c 'create extension amcheck'
pg_amcheck --all && echo checked
pg_ctl -w -m fast stop >/dev/null
# The same over TCP.
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
pg_ctl -w -t 120 -l "$SCRATCH/log" -o "-h 127.0.0.1 -p $port" start >/dev/null
pgbench -h 127.0.0.1 -p "$port" -n -c 4 -j 2 -t "${TRANSACTIONS:-50}" --random-seed=2 2>&1 | grep -E 'processed|failed'
psql -h 127.0.0.1 -p "$port" -X -At -c 'select sum(length(t)), count(*) from copied' -c 'select inet_client_addr()'
pg_ctl -w -m fast stop >/dev/null
grep -E 'PANIC|could not (open|create|write|sync|fsync|remove|rename|link|stat|access|seek|map)' "$SCRATCH/log" || :
ls -A "$SCRATCH" | sort
