package config

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// openForWriting reports whether some program holds the file open for
// writing. Linux grants a read lease only where none does (fcntl(2)); it
// tells the file's owner and root alone, and local file systems only. Where
// it doesn't tell, the answer is no.
func openForWriting(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	if err == nil {
		_, _ = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK)
	}
	return errors.Is(err, unix.EAGAIN)
}
