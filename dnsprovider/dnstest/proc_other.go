//go:build !linux

package dnstest

import "syscall"

func dieWithParent() *syscall.SysProcAttr { return nil }
