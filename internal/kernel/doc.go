// Package kernel says what the running kernel can do and what this process may
// do with it, each answer with its reason.
//
// Every feature that Turnstile uses is a row of one static table ([Features]).
// [Probe] asks the kernel about rows by using the feature itself in its
// smallest form: it creates the map, loads the program, opens the listener.
// Version numbers are used where asking is not possible, and to explain.
// An answer is yes ([Present]), no ([Missing]) or inconclusive ([Unknown]); a
// no says whether the kernel lacks the feature, whether this process has not
// the privilege, or whether a setting or a security module forbids it
// ([Cause]), because each of them has another remedy.
//
// A probe changes nothing that outlasts it, leaves no descriptor open and needs
// no privilege to be asked. This package never attaches a program, marks a
// file or restricts the calling process.
//
// Start reading at [Feature], then at [Probe] and [Check].
package kernel
