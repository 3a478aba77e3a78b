package saastest

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Order is a fault that a fake shall show. Of several that fit a request, the
// oldest is carried out.
type Order struct {
	Zone   string // "": at any
	Writes bool   // at requests that change a zone alone
	Reads  bool   // at those that don't alone
	Times  int    // how often; 0: for good
	Skip   int    // requests that fit, but pass first

	Status int           // answered with nothing done: 401, 429, 500, …
	After  string        // Retry-After, beside Status
	Slow   time.Duration // the request is carried out, its answer comes so much later
	Cut    bool          // the request is carried out, its answer breaks off
	Short  bool          // a list ends early, without a word: its second page is missing
}

// Order orders a fault.
func (f *Fake) Order(o Order) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.orders = append(f.orders, &o)
}

// Heal ends all faults.
func (f *Fake) Heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.orders, f.lag, f.stale = nil, 0, make(map[string]*stale)
}

// due takes the order that fits a request.
func (f *Fake) due(zone string, write bool) Order {
	i := slices.IndexFunc(f.orders, func(o *Order) bool {
		return (o.Zone == "" || o.Zone == zone) && !(o.Writes && !write) && !(o.Reads && write)
	})
	if i < 0 {
		return Order{}
	}
	o := f.orders[i]
	if o.Skip > 0 {
		o.Skip--
		return Order{}
	}
	if o.Times--; o.Times == 0 {
		f.orders = slices.Delete(f.orders, i, i+1)
	}
	return *o
}

// ServeHTTP answers one request.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	req := &request{Request: r, body: body}
	f.mu.Lock()
	call := Call{At: time.Now(), Zone: f.Vendor.zone(f, req), Write: f.writes(req)}
	order := f.due(call.Zone, call.Write)
	answer := f.answer(req, call, order)
	call.Status = answer.status
	if order.Cut {
		call.Status = 0
	}
	f.calls = append(f.calls, call)
	f.mu.Unlock()

	if order.Slow > 0 {
		late := time.NewTimer(order.Slow)
		defer late.Stop()
		select {
		case <-late.C:
		case <-r.Context().Done():
		}
	}
	answer.send(w, order.Cut)
}

// answer carries the request out, unless it is refused.
func (f *Fake) answer(r *request, call Call, order Order) *recorder {
	w := &recorder{header: make(http.Header), status: http.StatusOK}
	switch {
	case order.Status != 0:
		if order.After != "" {
			w.header.Set("Retry-After", order.After)
		}
		f.refuse(w, r, order.Status, http.StatusText(order.Status))
		return w
	case f.token(r) != f.Token:
		f.refuse(w, r, http.StatusUnauthorized, "Unauthorized")
		return w
	}
	z := f.find(call.Zone)
	if z == nil || call.Write {
		if z != nil {
			f.stale[z.name] = &stale{z.clone(), f.lag}
			z.serial++
		}
		r.view = z
		f.handle(f, w, r)
		return w
	}
	r.view = z
	if s := f.stale[z.name]; s != nil && s.left > 0 {
		s.left--
		r.view = s.was
	}
	if order.Short {
		r.view = r.view.clone()
		r.view.records = r.view.records[:len(r.view.records)/2]
	}
	f.handle(f, w, r)
	return w
}

// recorder holds an answer back.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header         { return w.header }
func (w *recorder) WriteHeader(status int)      { w.status = status }
func (w *recorder) Write(b []byte) (int, error) { return w.body.Write(b) }

// send gives the answer, or half of it.
func (w *recorder) send(to http.ResponseWriter, cut bool) {
	for key, values := range w.header {
		to.Header()[key] = values
	}
	to.Header().Set("Content-Length", strconv.Itoa(w.body.Len()))
	to.WriteHeader(w.status)
	if !cut {
		_, _ = to.Write(w.body.Bytes())
		return
	}
	_, _ = to.Write(w.body.Bytes()[:w.body.Len()/2])
	_ = http.NewResponseController(to).Flush()
	panic(http.ErrAbortHandler)
}
