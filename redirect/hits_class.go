package redirect

import (
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/x-way/crawlerdetect"
	"golang.org/x/time/rate"
)

// Bounds of what User-Agents may cost. Going through the list of bots takes
// about 0.1 ms, so the answer is remembered under a hash whose key this process
// alone knows and never writes down. People use a few thousand different
// browsers; whoever comes with thousands that were never seen is a machine.
const (
	agentSets     = 4096 // of four answers each, 128 KiB in all
	agentWays     = 4
	agentLength   = 512                   // octets that are looked at
	newAgents     = 1000                  // at once that are looked up in the list
	newAgentEvery = 20 * time.Millisecond // after those
)

// agents tells the class of a User-Agent. The list is JayBizzle's CrawlerDetect,
// as crawlerdetect has it.
type agents struct {
	seed   maphash.Seed
	known  [agentSets][agentWays]atomic.Uint64 // a hash, its lowest bits 1 + the class; 0 is free
	budget *rate.Limiter
}

func (a *agents) init() {
	a.seed = maphash.MakeSeed()
	a.budget = rate.NewLimiter(rate.Every(newAgentEvery), newAgents)
}

const classBits = 3 // the mask

// class gives Person or Bot, and keeps nothing of agent but the hash.
func (a *agents) class(agent string) Class {
	if agent == "" {
		return Bot // every browser has one
	}
	agent = agent[:min(len(agent), agentLength)]
	hash := maphash.String(a.seed, agent)
	set := &a.known[hash>>52%agentSets]
	for i := range set {
		if known := set[i].Load(); (known^hash)&^classBits == 0 && known&classBits != 0 {
			return Class(known&classBits) - 1
		}
	}
	if !a.budget.Allow() {
		return Bot
	}
	class := Person
	if crawlerdetect.IsCrawler(agent) {
		class = Bot
	}
	set[a.place(set, hash)].Store(hash&^classBits | uint64(class+1))
	return class
}

// place gives where a new answer goes: where it is free, else by the hash.
func (a *agents) place(set *[agentWays]atomic.Uint64, hash uint64) int {
	for i := range set {
		if set[i].Load() == 0 {
			return i
		}
	}
	return int(hash>>classBits) % agentWays
}
