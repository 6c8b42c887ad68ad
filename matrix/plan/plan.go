// Package plan is what the matrix tells the machines that it boots, and how they
// answer.
package plan

// File is where the plan is in a machine.
const File = "/plan.json"

// Plan is what process 1 of a machine does.
type Plan struct {
	Suites []Suite `json:"suites"`
}

// Suite is a test binary. It runs in /src/PACKAGE.
type Suite struct {
	Package string `json:"package"`
	Binary  string `json:"binary"`
	Skip    string `json:"skip"`
	Run     string `json:"run"`
}

// Mark begins the lines on the console that are not from a test: features and a JSON
// object of them, begin PACKAGE, end PACKAGE STATUS, done, or failed and the reason.
const Mark = "@matrix "
