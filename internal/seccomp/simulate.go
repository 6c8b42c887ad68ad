package seccomp

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/net/bpf"
)

// Simulator runs a program as the kernel does.
type Simulator struct{ vm *bpf.VM }

// NewSimulator takes a program of [Filter.Program], or any other filter for seccomp(2).
func NewSimulator(program []bpf.RawInstruction) (*Simulator, error) {
	instructions, ok := bpf.Disassemble(program)
	if !ok {
		return nil, errors.New("simulating seccomp filter: an instruction is unknown")
	}
	vm, err := bpf.NewVM(instructions)
	if err != nil {
		return nil, fmt.Errorf("simulating seccomp filter: %w", err)
	}
	return &Simulator{vm}, nil
}

// Action is what the kernel does with a call.
func (s *Simulator) Action(d Data) (Action, error) {
	n, err := s.vm.Run(d.words())
	if err != nil {
		return 0, fmt.Errorf("simulating seccomp filter: %w", err)
	}
	return Action(uint32(n)), nil
}

// words is struct seccomp_data for a machine that loads words in network order, as the
// kernel does for packets.
func (d Data) words() []byte {
	b := make([]byte, 0, 64)
	b = binary.BigEndian.AppendUint32(b, d.Nr)
	b = binary.BigEndian.AppendUint32(b, d.Arch)
	b = append(b, make([]byte, 8)...) // instruction_pointer
	for _, arg := range d.Args {
		b = binary.BigEndian.AppendUint32(b, uint32(arg))
		b = binary.BigEndian.AppendUint32(b, uint32(arg>>32))
	}
	return b
}
