package main

import (
	"cmp"
	"fmt"
	"log"
	"runtime"
	"slices"
	"time"

	"domherre/redirect"
)

// table prints the round that took the least CPU time, one row a kind of load:
// whatever else runs on the machine only adds to it.
func table(kinds []kind, results map[string][]result) {
	fmt.Print("| CPU µs a request (requests/s; p50, p99) |")
	for _, k := range kinds {
		fmt.Printf(" %s |", k.name)
	}
	fmt.Print("\n|---|")
	for range kinds {
		fmt.Print("---|")
	}
	fmt.Println()
	for _, l := range loads {
		fmt.Printf("| %s |", l.name)
		for _, k := range kinds {
			all := results[l.name+"/"+k.name]
			if len(all) == 0 {
				fmt.Print(" – |")
				continue
			}
			m := slices.MinFunc(all, func(a, b result) int { return cmp.Compare(a.cpu, b.cpu) })
			fmt.Printf(" **%.1f** (%.0f", m.cpu, m.rate)
			if m.p50 != "" {
				fmt.Printf("; %s, %s", m.p50, m.p99)
			}
			fmt.Print(") |")
		}
		fmt.Println()
	}
}

// changes times what a reload costs us: making a table, and swapping it in.
func changes(n int) {
	sites := make([]redirect.Site, n)
	for i := range sites {
		h := fmt.Sprintf("host-%d.example", i)
		sites[i] = redirect.Site{Domain: h, Hosts: []string{h}, Target: target}
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC() // what the first one found to be garbage
	runtime.ReadMemStats(&before)
	begun := time.Now()
	t, err := redirect.NewTable(sites)
	if err != nil {
		log.Fatal(err)
	}
	made := time.Since(begun)
	runtime.GC()
	runtime.ReadMemStats(&after)
	s := redirect.NewServer(t, redirect.Options{})
	begun = time.Now()
	for range 1000 {
		s.Swap(t)
	}
	fmt.Printf("\nA table of %d hosts: %d bytes a host, made in %v, swapped in %v.\n",
		n, (int64(after.HeapAlloc)-int64(before.HeapAlloc))/int64(n), made.Round(10*time.Microsecond), time.Since(begun)/1000)
}
