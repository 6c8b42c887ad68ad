# The go command: many processes and threads, signals all the time, file locks.
. "$DATA/lib.sh"
export GOFLAGS=-buildvcs=false GOPATH="$SCRATCH/gopath"

cat >go.mod <<'end'
module example.com/small

go 1.24
end
cat >main.go <<'end'
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"
)

func main() {
	list := strings.Fields("b a c")
	sort.Strings(list)
	_ = json.NewEncoder(os.Stdout).Encode(list)
	fmt.Println(len(list))
}
end
cat >main_test.go <<'end'
package main

import "testing"

func TestNothing(t *testing.T) { t.TempDir() }
end
case $1 in
build)
	go build -a -trimpath -o small .
	./small
	go build -trimpath -o small2 . && cmp small small2
	go list -deps . | wc -l
	gofmt -l .
	go vet . bufio io/fs
	;;
test)
	go test . path/filepath 2>&1 | sed 's/\t[0-9.]*s$//'
	;;
esac
rm -rf "$SCRATCH/go-build"
