package state

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// processMark tells this process from all others for those who can find out
// whether it lives: "<boot>/<PID namespace>/<pid>"; "" where the system
// doesn't say.
func processMark() string {
	machine := machineMark()
	if machine == "" {
		return ""
	}
	return machine + strconv.Itoa(os.Getpid())
}

// machineMark names the running kernel and the numbering of its processes that
// we see: containers have their own.
func machineMark() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	pids, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + "/" + pids + "/"
}

// processDead reports whether it is sure that the process of a mark is gone.
func processDead(mark string) bool {
	machine := machineMark()
	number, here := strings.CutPrefix(mark, machine)
	pid, err := strconv.Atoi(number)
	if machine == "" || !here || err != nil || pid <= 0 {
		return false
	}
	// Signal 0 asks alone; a process of another user answers EPERM.
	return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}
