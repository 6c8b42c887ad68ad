// Package page makes of a trace one HTML file to look at in a browser.
//
// The file needs nothing else and can reach nothing: its policy (CSP) allows its own
// style and its own script by their hashes, and no connection at all. The trace is in
// it as data that no browser runs. Everything that comes from the target is made
// printable here, as for a terminal (package quote), so that the page never holds a
// byte that could turn the direction of text or hide it; the script puts it into the
// page as text alone.
//
// Start reading at [Write]. model.go is what the script gets; the script itself is in
// assets, a file for each part of the page.
package page
