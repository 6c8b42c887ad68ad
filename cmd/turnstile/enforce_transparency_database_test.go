package main

import (
	"os/user"
	"strconv"
	"testing"

	"github.com/turnstile-project/turnstile/internal/testenv"
)

// Databases lock files, share memory, and notice what is written too late.
func TestTransparentDatabases(t *testing.T) {
	demandTransparent(t, workload{script: "sqlite", programs: []string{"sqlite3"}})

	u, err := user.Lookup("postgres")
	if err != nil {
		testenv.Lack(t, "PostgreSQL is not installed (make test-tools installs it)")
	}
	id, err := strconv.Atoi(u.Uid)
	if err != nil {
		t.Fatal(err)
	}
	w := workload{
		script:   "postgres",
		programs: []string{"setpriv", "python3"},
		as:       []runAs{userNobody, {name: "postgres", uid: id}},
	}
	if stress() {
		w.env = []string{"TRANSACTIONS=2000"}
	}
	demandTransparent(t, w)
	w.as = []runAs{userRoot}
	for _, drop := range []string{"setpriv", "su"} {
		w.args = []string{drop, u.Username}
		demandTransparent(t, w)
	}
}
