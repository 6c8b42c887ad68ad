package kernel

import "golang.org/x/sys/unix"

// The kinds of map.
const (
	Array   ID = "bpf.array"
	Hash    ID = "bpf.hash"
	PerCPU  ID = "bpf.percpu"
	Queue   ID = "bpf.queue"
	RingBuf ID = "bpf.ringbuf"
)

const bpfConfig = "CONFIG_BPF_SYSCALL"

// unused is what is lost without a feature that is known to be useful, but that
// no job needs by now.
const unused = "Nothing that is used today."

var bpfMapFeatures = []entry{
	{Feature{
		ID: Array, Name: "BPF array maps", Since: "3.19", Config: bpfConfig, Needs: required(Observe),
		Without: "Calls cannot be counted.",
	}, mapAnswer(unix.BPF_MAP_TYPE_ARRAY, 4)},
	{Feature{
		ID: Hash, Name: "BPF hash maps", Since: "3.19", Config: bpfConfig, Needs: required(Observe),
		Without: "Errors and arguments cannot be counted.",
	}, mapAnswer(unix.BPF_MAP_TYPE_HASH, 4)},
	{Feature{
		ID: PerCPU, Name: "BPF per-CPU maps", Since: "4.6", Config: bpfConfig,
		Without: unused,
	}, perCPUAnswer},
	{Feature{
		ID: Queue, Name: "BPF queue maps", Since: "4.20", Config: bpfConfig, Needs: required(Observe),
		Without: "Processes cannot be given a place to be counted in.",
	}, mapAnswer(unix.BPF_MAP_TYPE_QUEUE, 0)},
	{Feature{
		ID: RingBuf, Name: "BPF ring buffer", Since: "5.8", Config: bpfConfig, Needs: required(Observe),
		Without: "Events cannot leave the kernel in order.",
	}, (*session).ringBufAnswer},
}

func mapAnswer(mapType, keySize uint32) func(*session) answer {
	return func(s *session) answer { return s.bpfAnswer(tryMap(mapType, keySize)) }
}

func perCPUAnswer(s *session) answer {
	err := tryMap(unix.BPF_MAP_TYPE_PERCPU_ARRAY, 4)
	if err == nil {
		err = tryMap(unix.BPF_MAP_TYPE_PERCPU_HASH, 4)
	}
	return s.bpfAnswer(err)
}

// tryMap creates a map of one entry and lets it go.
func tryMap(mapType, keySize uint32) error {
	fd, err := createMap(mapType, keySize, 8, 1)
	if err == nil {
		_ = unix.Close(fd)
	}
	return err
}
