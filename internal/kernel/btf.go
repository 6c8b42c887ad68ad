package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/cilium/ebpf/btf"
)

// vmlinuxBTF is where a kernel built with CONFIG_DEBUG_INFO_BTF describes its
// own types (341dfcf8d78e, "btf: expose BTF info through sysfs").
const vmlinuxBTF = "/sys/kernel/btf/vmlinux"

// otherBTF tells how to do without vmlinuxBTF.
const otherBTF = "give one with --btf FILE, from https://github.com/aquasecurity/btfhub-archive, or boot a kernel of the distribution that is built with CONFIG_DEBUG_INFO_BTF"

// loadVmlinux decodes the BTF of the running kernel. It looks at vmlinuxBTF
// first: the library would go on to search the disk for a kernel image, whose
// BTF the kernel cannot use to attach.
func loadVmlinux() (*btf.Spec, error) {
	f, err := os.Open(vmlinuxBTF)
	if err != nil {
		return nil, err
	}
	_ = f.Close()
	return btf.LoadKernelSpec()
}

func (s *session) btfAnswer() answer {
	_, err := s.vmlinux()
	switch {
	case err == nil:
		return present(vmlinuxBTF)
	case errors.Is(err, fs.ErrNotExist):
		a := lacking(vmlinuxBTF + " does not exist (ENOENT)")
		a.Fix = otherBTF
		return a
	case errors.Is(err, fs.ErrPermission):
		return unprivileged(fmt.Sprintf("%s cannot be read (%s)", vmlinuxBTF, named(cause(err))), otherBTF)
	default:
		return unknown(fmt.Sprintf("decoding %s: %v", vmlinuxBTF, err), otherBTF)
	}
}
