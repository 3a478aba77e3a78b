package config

import "fmt"

// shortestKey is how many characters a key of the state has at least.
const shortestKey = 32

// stateKey reads a key that encrypts the state.
func stateKey(v value) (Secret, bool) {
	s, ok := v.secretText()
	if ok && len(s) < shortestKey {
		v.fault(fmt.Sprintf("is too short for a key: it has %d characters, and needs %d", len(s), shortestKey), "make one with: openssl rand -base64 32")
		return Secret{}, false
	}
	return newSecret(s), ok
}

// cacheFolder reads the path of a folder, relative to the main file's, or off.
func cacheFolder(l *loader, dst *string) kind {
	return kind{schema: schema{"type": "string"}, read: func(v value) {
		switch s, ok := v.text(); {
		case !ok:
		case s == "off":
			*dst = ""
		case s == "":
			v.fault("is empty", "write a folder such as ./cache, or off")
		default:
			*dst = l.relative(s)
		}
	}}
}
