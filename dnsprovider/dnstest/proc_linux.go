package dnstest

import "syscall"

// dieWithParent ends the server when a test is killed before its clean-up.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
