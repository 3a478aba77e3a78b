package main

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

func nowUnix() int64 { return time.Now().Unix() }

// metrics reads what the daemon counts, by name with labels.
func (w *world) metrics() (map[string]float64, error) {
	resp, err := w.client.Get("http://" + w.admin + "/metrics")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return parseMetrics(resp.Body)
}

func parseMetrics(r io.Reader) (map[string]float64, error) {
	values := map[string]float64{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		i := strings.LastIndexByte(line, ' ')
		if strings.HasPrefix(line, "#") || i < 0 {
			continue
		}
		v, err := strconv.ParseFloat(line[i+1:], 64)
		if err != nil {
			return nil, err
		}
		values[line[:i]] = v
	}
	return values, lines.Err()
}

// metric reports that a metric isn't as wanted.
func (w *world) metric(name string, good func(float64) bool) func() error {
	return func() error {
		values, err := w.metrics()
		if err != nil {
			return err
		}
		if v, ok := values[name]; !ok || !good(v) {
			return fmt.Errorf("%s is %v (%t)", name, v, ok)
		}
		return nil
	}
}

func (w *world) is(name string, want float64) func() error {
	return w.metric(name, func(v float64) bool { return v == want })
}

// sum adds up a metric over all its labels.
func (w *world) sum(name string) float64 {
	w.Helper()
	values, err := w.metrics()
	if err != nil {
		w.Fatal(err)
	}
	total := 0.0
	for key, v := range values {
		if key == name || strings.HasPrefix(key, name+"{") {
			total += v
		}
	}
	return total
}
