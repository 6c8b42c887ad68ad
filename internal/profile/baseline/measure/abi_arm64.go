package main

import (
	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/seccomp"
)

const native = event.ARM64

var filterABI = seccomp.ARM64
