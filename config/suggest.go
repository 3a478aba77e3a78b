package config

import (
	"fmt"
	"strings"
)

// didYouMean gives the hint for a word that isn't among the known: the
// nearest of them, or all where they are few.
func didYouMean(word string, known []string) string {
	if best := nearest(word, known); best != "" {
		return fmt.Sprintf("did you mean %s?", best)
	}
	if len(known) == 0 || len(known) > 24 {
		return ""
	}
	return "known are " + strings.Join(known, ", ")
}

// nearest gives the known word that is at most a third of its letters away
// from word, or "".
func nearest(word string, known []string) string {
	word = strings.ToLower(word)
	best, least := "", 1<<30
	for _, k := range known {
		d := distance(word, strings.ToLower(k))
		if limit := max(1, max(len(k), len(word))/3); d <= limit && d < least {
			best, least = k, d
		}
	}
	return best
}

// distance counts the letters to insert, delete, replace or swap to come from
// a to b (optimal string alignment).
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	prev2, prev, row := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(s); i++ {
		row[0] = i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				row[j] = min(row[j], prev2[j-2]+1)
			}
		}
		prev2, prev, row = prev, row, prev2
	}
	return prev[len(t)]
}
