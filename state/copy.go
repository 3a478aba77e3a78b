package state

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// CopyResult says what Copy did.
type CopyResult struct {
	From, To string // as people know them
	Values   int    // there are
	Copied   int    // of them, now
	Entries  int    // of the journal
	Entered  int    // of them, now
	Digest   string // of all that both hold: "sha256:…"
}

// UnfinishedError says that a state is a part of a copy.
type UnfinishedError struct{ State string }

func (e *UnfinishedError) Error() string {
	return fmt.Sprintf("state %s is an unfinished copy: run domherre state copy again, or remove it", e.State)
}

// NotEmptyError says that a state to copy into holds something else already.
type NotEmptyError struct {
	State           string
	Values, Entries int
}

func (e *NotEmptyError) Error() string {
	return fmt.Sprintf("state %s isn't empty: it holds %d values and %d entries of a journal, others than what would be copied; name an empty one", e.State, e.Values, e.Entries)
}

// Copy copies all values and the journal from one state to another, which is
// empty or holds a part of an earlier copy, then reads both again and compares
// them. What is there already isn't written again. The caller sees to it that
// nobody works on either; ctx may belong to a lease of to. Both come from Open
// with ForCopy.
//
// A copy that is broken off leaves a mark, which Open refuses.
func Copy(ctx context.Context, from, to Store, progress func(done, total int)) (CopyResult, error) {
	c := &copier{from: from.(*sealed), to: to.(*sealed), progress: progress}
	r := CopyResult{From: c.from.String(), To: c.to.String()}
	if r.From == r.To {
		return r, fmt.Errorf("%s: it can't be copied onto itself", r.From)
	}
	if c.from.Exists(ctx, copyKey) {
		return r, &UnfinishedError{r.From}
	}
	same, err := c.begin(ctx, &r)
	if err != nil || same {
		return r, err
	}
	if err := c.values(ctx, &r); err != nil {
		return r, err
	}
	if err := c.journal(ctx, &r); err != nil {
		return r, err
	}
	if err := c.verify(ctx, &r); err != nil {
		return r, err
	}
	if err := c.to.mark(ctx); err != nil {
		return r, err
	}
	return r, c.to.Delete(ctx, copyKey)
}

type copier struct {
	from, to *sealed
	progress func(done, total int)
}

// copyLoads bounds how many values are read at once.
const copyLoads = 8

// begin marks an empty target. One that holds the same already is done: then
// same is true.
func (c *copier) begin(ctx context.Context, r *CopyResult) (same bool, err error) {
	if c.to.Exists(ctx, copyKey) {
		return false, nil
	}
	there, err := take(ctx, c.to)
	if err != nil {
		return false, err
	}
	if len(there.sums) == 0 && len(there.entries) == 0 {
		return false, c.to.Store(ctx, copyKey, []byte("from "+r.From+"\n"))
	}
	ours, err := take(ctx, c.from)
	if err != nil {
		return false, err
	}
	if ours.digest() != there.digest() {
		return false, &NotEmptyError{r.To, len(there.sums), len(there.entries)}
	}
	ours.count(r)
	return true, nil
}

// values copies those that the target lacks or has otherwise, and removes those
// of an earlier try that the source no longer has.
func (c *copier) values(ctx context.Context, r *CopyResult) error {
	ours, err := sums(ctx, c.from)
	if err != nil {
		return err
	}
	theirs, err := sums(ctx, c.to)
	if err != nil {
		return err
	}
	for key := range theirs {
		if _, ok := ours[key]; !ok {
			if err := c.to.Delete(ctx, key); err != nil {
				return err
			}
		}
	}
	var copied, done atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(copyLoads)
	for key, sum := range ours {
		group.Go(func() error {
			defer func() { c.progress(int(done.Add(1)), len(ours)) }()
			if theirs[key] == sum {
				return nil
			}
			value, err := c.from.Load(ctx, key)
			if err == nil {
				err = c.to.Store(ctx, key, value)
			}
			copied.Add(1)
			return err
		})
	}
	err = group.Wait()
	r.Copied = int(copied.Load())
	return err
}

func (c *copier) journal(ctx context.Context, r *CopyResult) error {
	ours, err := c.from.Entries(ctx, Filter{})
	if err != nil {
		return err
	}
	theirs, err := c.to.Entries(ctx, Filter{})
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, e := range theirs {
		there[e.ID] = true
	}
	slices.Reverse(ours) // the oldest first
	missing := slices.DeleteFunc(ours, func(e Entry) bool { return there[e.ID] })
	r.Entered = len(missing)
	return c.to.restore(ctx, missing)
}

// verify reads all of both again.
func (c *copier) verify(ctx context.Context, r *CopyResult) error {
	ours, err := take(ctx, c.from)
	if err != nil {
		return err
	}
	theirs, err := take(ctx, c.to)
	if err != nil {
		return err
	}
	if ours.digest() != theirs.digest() {
		return fmt.Errorf("state %s and its copy differ: somebody works on one of them; stop that, then run domherre state copy again", r.From)
	}
	ours.count(r)
	return nil
}

// contents are what a state holds, values by their digests.
type contents struct {
	sums    map[string][sha256.Size]byte
	entries []Entry
}

func take(ctx context.Context, s *sealed) (contents, error) {
	values, err := sums(ctx, s)
	if err != nil {
		return contents{}, err
	}
	entries, err := s.Entries(ctx, Filter{})
	return contents{values, entries}, err
}

// sums gives the digest of each value.
func sums(ctx context.Context, s *sealed) (map[string][sha256.Size]byte, error) {
	keys, err := s.List(ctx, "", true)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	all := make(map[string][sha256.Size]byte, len(keys))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(copyLoads)
	for _, key := range keys {
		group.Go(func() error {
			value, err := s.Load(ctx, key)
			if errors.Is(err, fs.ErrNotExist) {
				return nil // a folder, or gone since
			}
			mu.Lock()
			defer mu.Unlock()
			all[key] = sha256.Sum256(value)
			return err
		})
	}
	return all, group.Wait()
}

// digest is over all that the state holds.
func (c contents) digest() string {
	h := sha256.New()
	keys := make([]string, 0, len(c.sums))
	for key := range c.sums {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	lines := json.NewEncoder(h)
	for _, key := range keys {
		sum := c.sums[key]
		_ = lines.Encode([]string{key, hex.EncodeToString(sum[:])}) // a hash takes all
	}
	for _, e := range c.entries {
		// A database keeps microseconds.
		_ = lines.Encode([]string{e.ID, e.Time.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano), e.Subject, string(e.Doc)})
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

func (c contents) count(r *CopyResult) {
	r.Values, r.Entries, r.Digest = len(c.sums), len(c.entries), c.digest()
}
