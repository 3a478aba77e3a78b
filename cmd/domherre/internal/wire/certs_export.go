package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"

	"domherre/tls"
)

// Layouts of an export.
const (
	// LayoutNginx is a folder for each certificate, with fullchain.pem and
	// privkey.pem. It is a link that is swapped, so that the two always match.
	LayoutNginx = "nginx"
	// LayoutHAProxy is a file for each certificate, with chain and key.
	LayoutHAProxy = "haproxy"
)

// Layouts lists them.
var Layouts = []string{LayoutNginx, LayoutHAProxy}

// CertificateExport writes certificates as files for other servers.
type CertificateExport struct {
	Dir, Layout string
	// Exec is run by sh after something has changed; its output goes to Output.
	// It is owed until it has worked.
	Exec   string
	Output io.Writer
}

const (
	exportVersions = ".versions"     // the folders that the links of LayoutNginx lead to
	exportOwed     = ".exec-is-owed" // there while Exec hasn't worked since the last change
)

// Write writes what has changed, and gives its IDs; executed is whether Exec
// was run, and worked. Files of certificates that are no longer held stay:
// servers that are configured with them wouldn't start.
func (x CertificateExport) Write(ctx context.Context, held []tls.Held) (changed []string, executed bool, err error) {
	if err := os.MkdirAll(x.Dir, 0o700); err != nil {
		return nil, false, err
	}
	write := x.writeFolder
	if x.Layout == LayoutHAProxy {
		write = x.writeFile
	}
	for _, h := range held {
		did, err := write(h)
		if err != nil {
			return changed, false, fmt.Errorf("exporting %s: %w", h.ID(), err)
		}
		if did {
			changed = append(changed, h.ID())
		}
	}
	executed, err = x.run(ctx)
	return changed, executed, err
}

// owe notes, before anything is changed, that Exec is to be run.
func (x CertificateExport) owe() error {
	if x.Exec == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(x.Dir, exportOwed), nil, 0o600)
}

// run runs Exec where it is owed.
func (x CertificateExport) run(ctx context.Context) (bool, error) {
	owed := filepath.Join(x.Dir, exportOwed)
	if _, err := os.Stat(owed); x.Exec == "" || errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	c := exec.CommandContext(ctx, "sh", "-c", x.Exec)
	c.Dir, c.Stdout, c.Stderr = x.Dir, x.Output, x.Output
	if err := c.Run(); err != nil {
		return false, fmt.Errorf("the files are written, but %q failed (%w): it is run again next time", x.Exec, err)
	}
	return true, os.Remove(owed)
}

// writeFile writes chain and key as one file.
func (x CertificateExport) writeFile(h tls.Held) (bool, error) {
	key, err := h.Key()
	if err != nil {
		return false, err
	}
	path, content := filepath.Join(x.Dir, h.ID()+".pem"), slices.Concat(h.Chain(), key)
	if same(path, content) {
		return false, nil
	}
	if err := x.owe(); err != nil {
		return false, err
	}
	return true, replaceFile(path, content)
}

// writeFolder writes chain and key into a folder of their own, then leads the
// link there.
func (x CertificateExport) writeFolder(h tls.Held) (bool, error) {
	link, target := filepath.Join(x.Dir, h.ID()), filepath.Join(exportVersions, h.ID()+"-"+h.Serial())
	key, err := h.Key()
	if err != nil {
		return false, err
	}
	files := map[string][]byte{"fullchain.pem": h.Chain(), "privkey.pem": key}
	before, err := os.Readlink(link)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, fmt.Errorf("%s is there, and not ours to replace: %w", link, err)
	}
	if before == target && same(filepath.Join(link, "fullchain.pem"), files["fullchain.pem"]) && same(filepath.Join(link, "privkey.pem"), files["privkey.pem"]) {
		return false, nil
	}
	if err := x.owe(); err != nil {
		return false, err
	}
	folder := filepath.Join(x.Dir, target)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return false, err
	}
	for name, content := range files {
		if err := replaceFile(filepath.Join(folder, name), content); err != nil {
			return false, err
		}
	}
	if err := renameio.Symlink(target, link); err != nil {
		return false, err
	}
	if before == "" || before == target || filepath.Dir(before) != exportVersions {
		return true, nil
	}
	return true, os.RemoveAll(filepath.Join(x.Dir, before))
}

func replaceFile(path string, content []byte) error {
	return renameio.WriteFile(path, content, 0o600, renameio.IgnoreUmask())
}

// same reports whether a file holds content, and nobody else can read it.
func same(path string, content []byte) bool {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		return false
	}
	there, err := os.ReadFile(path)
	return err == nil && bytes.Equal(there, content)
}
