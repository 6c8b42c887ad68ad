# A module without dependencies is built and run, without a network.
cat >go.mod <<end
module example.org/hello

go 1.21
end
cat >main.go <<end
package main

import "fmt"

func main() { fmt.Println("built in $WORK"[:5]) }
end
go build -o hello .
./hello
