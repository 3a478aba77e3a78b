// Package check answers, for each domain of the portfolio: does it work, and
// if not, what must who do? It looks from the outside, as a visitor would:
// through resolvers, at the authoritative servers, and at the addresses that
// the domain's records name. What it finds is one word and one sentence a
// check, and a sentence of advice, in Swedish or English.
package check
