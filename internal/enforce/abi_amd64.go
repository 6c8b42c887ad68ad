package enforce

import "github.com/turnstile-project/turnstile/internal/event"

// nativeABI is the ABI of the calls that pass the filter.
const nativeABI = event.X8664
