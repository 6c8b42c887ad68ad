# A pipeline, a hundred times: many short processes, many small files.
. "$DATA/lib.sh"

seq 1 200 >numbers
i=0
while [ $i -lt 100 ]; do
	i=$((i + 1))
	total=$(grep -v 7 <numbers | sed 's/^/+/' | tr -d '\n' | { read -r sum || :; echo $((0 $sum)); })
	cat <<-end | sort -r | tee "out.$((i % 10))" | { head -n 1 >>first; cat >/dev/null; }
		$i $total
		last
	end
	(exit $((i % 5))) || echo "$i ended with $?" >>ends
	kill -0 $$ && : >"empty.$((i % 3))"
done
sort -n first ends | uniq -c
yes | head -n 3
for s in INT TERM PIPE USR1; do
	code=0; sh -c "kill -$s \$\$" || code=$?
	echo "$s $code"
done
sh -c 'trap "echo caught" USR1; kill -USR1 $$; echo on'
cat <missing 2>/dev/null || echo "no file"
: | sh -c 'read -r x || echo empty'
