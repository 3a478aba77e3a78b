package state

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// The journal is a file of JSON lines per month. An entry counts once its
// line's end is written; a line without end is a killed writer's and goes
// before the next is written.

const (
	monthForm = "2006-01"
	monthExt  = ".jsonl"
	idForm    = "20060102T150405.000"
	idRandom  = 4 // letters and digits after the time
)

// journalWriter lets concurrent appends share a lock and a sync.
type journalWriter struct {
	mu   sync.Mutex // held while a batch is written
	next *journalBatch
}

type journalBatch struct {
	drafts []Entry // without ID and Time
	ids    []string
	done   bool
	err    error
}

// Append stores a document durably and gives its entry's ID.
func (s *files) Append(ctx context.Context, subject string, doc json.RawMessage) (string, error) {
	if err := s.alive(ctx); err != nil {
		return "", err
	}
	if err := s.fence(ctx); err != nil {
		return "", fmt.Errorf("state: writing the journal: %w", err)
	}
	var compact bytes.Buffer // a line holds no line ends
	if err := json.Compact(&compact, doc); err != nil {
		return "", fmt.Errorf("state: the document for the journal is no JSON: %w", err)
	}
	w := &s.journal
	s.mu.Lock()
	if w.next == nil {
		w.next = &journalBatch{}
	}
	batch, at := w.next, len(w.next.drafts)
	batch.drafts = append(batch.drafts, Entry{Subject: subject, Doc: compact.Bytes()})
	s.mu.Unlock()

	w.mu.Lock()
	defer w.mu.Unlock()
	if !batch.done {
		s.mu.Lock()
		w.next = nil
		s.mu.Unlock()
		// One caller's ctx must not end what others wait for.
		batch.err = s.writeBatch(context.WithoutCancel(ctx), batch)
		batch.done = true
	}
	if batch.err != nil {
		return "", fmt.Errorf("state: writing the journal in %s: %w; %s", s.root, cause(batch.err), remedy(batch.err))
	}
	return batch.ids[at], nil
}

// writeBatch appends under the journal's lock, so that processes take turns.
func (s *files) writeBatch(ctx context.Context, batch *journalBatch) error {
	id := lockID{journalDir, "journal"}
	if _, err := s.take(ctx, id, Holder{}, true); err != nil {
		return err
	}
	return errors.Join(s.appendBatch(batch), s.drop(id))
}

func (s *files) appendBatch(batch *journalBatch) error {
	now := s.now().UTC()
	last, err := s.lastID()
	if err != nil {
		return err
	}
	at := idTime(now, last)
	var lines bytes.Buffer
	for i, e := range batch.drafts {
		e.Time = now
		e.ID = at.Add(time.Duration(i)*time.Millisecond).Format(idForm) + "-" + strings.ToLower(rand.Text()[:idRandom])
		batch.ids = append(batch.ids, e.ID)
		line, err := json.Marshal(e)
		if err != nil {
			return err
		}
		lines.Write(append(line, '\n'))
	}
	return s.appendLines(filepath.Join(s.root, journalDir, at.Format(monthForm)+monthExt), lines.Bytes())
}

// idTime gives the time for the next ID: now, or just after the last ID where
// the clock hasn't passed that.
func idTime(now time.Time, last string) time.Time {
	at := now.Truncate(time.Millisecond)
	if len(last) < len(idForm) {
		return at
	}
	before, err := time.Parse(idForm, last[:len(idForm)])
	if err == nil && !at.After(before) {
		return before.Add(time.Millisecond)
	}
	return at
}

// appendLines adds lines to a month's file, durably and whole or not at all.
func (s *files) appendLines(name string, lines []byte) error {
	_, statErr := os.Stat(name)
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	err = s.appendTo(f, lines)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil && errors.Is(statErr, fs.ErrNotExist) {
		err = s.syncDir(filepath.Dir(name))
	}
	return err
}

func (s *files) appendTo(f *os.File, lines []byte) error {
	end, err := s.heal(f)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(lines, end)
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		// A part of the lines may be there: the disk is full, perhaps.
		return errors.Join(err, f.Truncate(end))
	}
	return nil
}

// heal cuts a line without end off the file and gives the file's length then.
func (s *files) heal(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	tail, err := lastLine(f, info.Size())
	if err != nil || len(tail) == 0 || tail[len(tail)-1] == '\n' {
		return info.Size(), err
	}
	end := info.Size() - int64(len(tail))
	s.log.Warn("cut a half-written entry off the journal; a process was killed while it wrote", "file", f.Name(), "octets", len(tail))
	return end, f.Truncate(end)
}

// lastLine reads the last line of f with its end, if it has one.
func lastLine(f io.ReaderAt, size int64) ([]byte, error) {
	var tail []byte
	for at := size; at > 0; {
		n := min(at, 8<<10)
		at -= n
		block := make([]byte, n)
		if _, err := f.ReadAt(block, at); err != nil {
			return nil, err
		}
		tail = append(block, tail...)
		if i := bytes.LastIndexByte(tail[:len(tail)-1], '\n'); i >= 0 {
			return tail[i+1:], nil
		}
	}
	return tail, nil
}
