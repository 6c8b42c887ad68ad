package main

import (
	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/seccomp"
)

const native = event.X8664

var filterABI = seccomp.X8664
