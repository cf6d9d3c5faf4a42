//go:build linux && amd64

package harness

import (
	"bufio"
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Jump moves the wall clock of the running hub, and of nothing else, by whole
// seconds. Its monotonic clock goes on as if nothing had happened, as it does when
// an administrator or NTP sets the time of a machine. A hub that is started again
// has the machine's clock again.
//
// A preloaded library such as libfaketime cannot do that: Go calls no C library,
// it reads the time from the vDSO, a page of code that the kernel maps into every
// process. So Jump changes this code. While the hub is stopped it makes the first
// instruction of __vdso_clock_gettime a jump to the end of the mapping, where
// there is room for a function of ours: it asks the kernel, and adds to the wall
// clock's seconds a number that is kept behind it. The kernel lets a parent write
// to a page of its child that the child itself could not, and gives the child a
// copy of the page, so that nobody else is concerned.
//
// The error is [errors.ErrUnsupported] where the kernel does not allow it.
func (p *Process) Jump(by time.Duration) error {
	if by%time.Second != 0 {
		return fmt.Errorf("the wall clock cannot jump by %v: only by whole seconds", by)
	}
	if err := p.jump(int64(by / time.Second)); err != nil {
		return fmt.Errorf("move the hub's wall clock: %w", err)
	}
	return nil
}

func (p *Process) jump(seconds int64) (err error) {
	v, err := openVDSO(p.PID())
	if err != nil {
		return err
	}
	defer v.mem.Close()
	defer func() { err = errors.Join(err, p.Signal(syscall.SIGCONT)) }()
	for {
		if err := p.halt(); err != nil {
			return err
		}
		within, err := p.within(v.entry+1, v.entry+uint64(len(v.detour())))
		if err != nil {
			return err
		}
		if !within {
			return v.jump(seconds)
		}
		if err := p.Signal(syscall.SIGCONT); err != nil { // it would go on in half an instruction
			return err
		}
	}
}

// halt stops the hub and waits until each of its threads stands still.
func (p *Process) halt() error {
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		stopped := true
		err := p.threads("stat", func(line string) error {
			_, rest, _ := strings.Cut(line, ") ")
			stopped = stopped && strings.HasPrefix(rest, "T")
			return nil
		})
		if err != nil || stopped {
			return err
		}
		if time.Now().After(deadline) {
			return errors.New("the hub does not stop")
		}
		time.Sleep(time.Millisecond)
	}
}

// within reports whether a thread of the stopped hub will go on in [from, to).
func (p *Process) within(from, to uint64) (is bool, err error) {
	err = p.threads("syscall", func(line string) error {
		fields := strings.Fields(line) // the last one is the program counter
		pc, err := strconv.ParseUint(fields[len(fields)-1], 0, 64)
		is = is || from <= pc && pc < to
		return err
	})
	return is, err
}

// threads reads a file of every thread from /proc.
func (p *Process) threads(file string, do func(line string) error) error {
	names, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/%s", p.PID(), file))
	if err != nil {
		return err
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // the thread has ended
		}
		if err != nil {
			return err
		}
		if err := do(string(text)); err != nil {
			return fmt.Errorf("%s: %q: %w", name, text, err)
		}
	}
	return nil
}

// clock is our function, and behind it the seconds to add. It is called as C would
// call clock_gettime, with the clock in edi and the result in *rsi, and changes
// only rax, rcx and r11, which belong to whoever is called.
var clock = [32]byte{
	0xb8, 228, 0, 0, 0, // mov  eax, 228 (clock_gettime)
	0x0f, 0x05, // syscall
	0x85, 0xff, // test edi, edi
	0x75, 10, // jnz  to ret, if it is not CLOCK_REALTIME
	0x48, 0x8b, 0x0d, 6, 0, 0, 0, // mov  rcx, the seconds
	0x48, 0x01, 0x0e, // add  [rsi], rcx
	0xc3, // ret
}

const secondsAt = 24 // in clock

// vdso is the vDSO of a process.
type vdso struct {
	mem   *os.File // all memory of the process
	entry uint64   // of __vdso_clock_gettime
	clock uint64   // where ours is, or will be
}

func openVDSO(pid int) (*vdso, error) {
	from, to, err := findVDSO(pid)
	if err != nil {
		return nil, err
	}
	mem, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", pid), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	image := make([]byte, to-from)
	_, err = mem.ReadAt(image, int64(from))
	offset, found := symbol(image, "__vdso_clock_gettime")
	if err == nil && !found {
		err = fmt.Errorf("the vDSO has no clock: %w", errors.ErrUnsupported)
	}
	if err != nil {
		mem.Close()
		return nil, err
	}
	return &vdso{mem: mem, entry: from + offset, clock: to - uint64(len(clock))}, nil
}

// findVDSO finds where it is mapped.
func findVDSO(pid int) (from, to uint64, err error) {
	maps, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return 0, 0, err
	}
	defer maps.Close()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		if strings.HasSuffix(lines.Text(), "[vdso]") {
			_, err := fmt.Sscanf(lines.Text(), "%x-%x", &from, &to)
			return from, to, err
		}
	}
	return 0, 0, fmt.Errorf("the process has no vDSO: %w", errors.ErrUnsupported)
}

func symbol(image []byte, name string) (offset uint64, found bool) {
	file, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return 0, false
	}
	symbols, _ := file.DynamicSymbols()
	for _, s := range symbols {
		if s.Name == name {
			return s.Value, true
		}
	}
	return 0, false
}

// detour is the instruction that jumps from the vDSO's clock to ours.
func (v *vdso) detour() []byte {
	const size = 5
	return binary.LittleEndian.AppendUint32([]byte{0xe9}, uint32(v.clock-v.entry-size))
}

// jump adds to the seconds that are added to the wall clock.
func (v *vdso) jump(seconds int64) error {
	here := make([]byte, len(clock))
	if _, err := v.mem.ReadAt(here, int64(v.clock)); err != nil {
		return err
	}
	if !bytes.Equal(here[:secondsAt], clock[:secondsAt]) {
		return v.begin(here, seconds)
	}
	seconds += int64(binary.LittleEndian.Uint64(here[secondsAt:]))
	_, err := v.mem.WriteAt(binary.LittleEndian.AppendUint64(nil, uint64(seconds)), int64(v.clock+secondsAt))
	return err
}

// begin puts our clock where nothing is, and the detour to it.
func (v *vdso) begin(here []byte, seconds int64) error {
	if !bytes.Equal(here, make([]byte, len(here))) {
		return fmt.Errorf("the vDSO has no room left: %w", errors.ErrUnsupported)
	}
	ours := binary.LittleEndian.AppendUint64(clock[:secondsAt:secondsAt], uint64(seconds))
	_, err := v.mem.WriteAt(ours, int64(v.clock))
	if errors.Is(err, syscall.EIO) || errors.Is(err, syscall.EPERM) || errors.Is(err, io.ErrShortWrite) {
		return fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
	}
	if err == nil {
		_, err = v.mem.WriteAt(v.detour(), int64(v.entry))
	}
	return err
}
