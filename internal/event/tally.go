package event

// Tally is what a kernel table held. Tallies add up: several of the same kind
// and key are summed by the sink.
type Tally struct {
	Kind  TallyKind
	Count uint64

	// Process for TallyCalls and TallySettled; nil if it is not known.
	Process *Process
	// Call for TallyCalls, TallyErrors and TallyArgument: ABI and Nr only.
	Call Call
	// Errno for TallyErrors.
	Errno Errno
	// Index and Value of one argument, for TallyArgument.
	Index uint8
	Value uint64
	// Fold for TallyRepeats, from the [Event] that was first.
	Fold uint64
	// Loss for TallyLost.
	Loss Loss
}

// TallyKind says what a Tally counts.
type TallyKind uint8

// The kinds.
const (
	// TallyCalls: calls of one number by one process.
	TallyCalls TallyKind = iota
	// TallyErrors: failures of one number with one errno.
	TallyErrors
	// TallyArgument: calls of one number with one value of one argument.
	TallyArgument
	// TallyRepeats: repetitions, perhaps none, of an access that was reported.
	// One follows for each Event with that fold.
	TallyRepeats
	// TallyLost: facts that were not recorded.
	TallyLost
	// TallyShared: threads that could not be told apart; their calls come
	// as TallyCalls without a process.
	TallyShared
	// TallySettled: the process has ended and all that it did has been told;
	// a sink can forget it.
	TallySettled
)

// Loss is the reason for which a fact is missing or less exact.
type Loss uint8

// The losses. LossRingbuf… are records that found the ring buffer full, told
// apart by the section of the trace that they would have gone to.
const (
	LossRingbufProcess Loss = iota
	LossRingbufFile
	LossRingbufSocket
	LossRingbufCall
	LossPath
	LossAddress
	LossArgument
	LossArgv
	LossDeepPath
	LossMapCalls
	LossMapErrors
	LossMapArguments
	LossUntracked
	LossMissed
	LossIOUring
	LossForbidden
	LossUndecoded
	lossCount
)

var lossNames = [...]string{
	"ringbuf_process", "ringbuf_file", "ringbuf_socket", "ringbuf_call",
	"path", "address", "argument", "argv", "deep_path", "map_calls", "map_errors", "map_arguments",
	"untracked", "missed", "io_uring", "forbidden", "undecoded",
}

func (l Loss) String() string { return name(lossNames[:], int(l)) }

// Losses lists all reasons.
func Losses() []Loss {
	all := make([]Loss, lossCount)
	for i := range all {
		all[i] = Loss(i)
	}
	return all
}
