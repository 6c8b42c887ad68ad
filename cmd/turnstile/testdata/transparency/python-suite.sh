# python-suite NAME...: test modules of Python's own, one result a line.
. "$DATA/lib.sh"

code=0
/usr/bin/python3 -m test --junit-xml "$SCRATCH/results.xml" --tempdir "$SCRATCH" "$@" >"$SCRATCH/log" 2>&1 || code=$?
echo "exit status $code"
/usr/bin/python3 - "$SCRATCH/results.xml" <<'end'
import sys
import xml.etree.ElementTree as xml

lines = []
for case in xml.parse(sys.argv[1]).iter("testcase"):
    result = case.get("result")
    for child in case:
        if child.tag in ("error", "failure", "skipped"):
            result = child.tag + (" " + (child.text or "") if child.tag == "skipped" else "")
    lines.append(f"{case.get('name')} {result}")
print("\n".join(sorted(lines)))
end
exit $code
