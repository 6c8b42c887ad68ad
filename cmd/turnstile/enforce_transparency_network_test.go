package main

import "testing"

// Servers and their clients see the same of each other.
func TestTransparentNetwork(t *testing.T) {
	demandTransparent(t, workload{script: "network", programs: []string{"curl", "python3", "cksum"}})
}
