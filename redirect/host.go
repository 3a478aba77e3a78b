package redirect

import "strings"

// maxHost is the length of the longest host name (RFC 1035, section 2.3.4).
const maxHost = 253

// splitHost takes apart the value of a Host header or :authority: the host
// in lower case without port and trailing dot. ok is false for what is no
// host[:port] of A-labels at all. An IP address is well-formed, and comes back
// as "" since no site has one. It doesn't allocate for a host that is written
// in lower case.
func splitHost(s string) (host string, ok bool) {
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		return "", end > 0 && validIPv6(s[1:end]) && validPort(s[end+1:])
	}
	host = s
	if colon := strings.IndexByte(s, ':'); colon >= 0 {
		if !validPort(s[colon:]) {
			return "", false
		}
		host = s[:colon]
	}
	host = strings.TrimSuffix(host, ".")
	if !validName(host) {
		return "", false
	}
	if isIPv4(host) {
		return "", true
	}
	return strings.ToLower(host), true
}

// validPort reports whether s is empty or a colon and a port number. RFC 3986
// allows the colon alone.
func validPort(s string) bool {
	if s == "" || s == ":" {
		return true
	}
	if s[0] != ':' || len(s) > 6 {
		return false
	}
	n := 0
	for i := 1; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n > 0 && n <= 65535
}

// validName reports whether s consists of labels of letters, digits, hyphens
// and underscores, in the lengths of RFC 1035. The empty name is valid: HTTP/1.0
// may leave Host out.
func validName(s string) bool {
	if len(s) > maxHost {
		return false
	}
	label := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '.':
			if label == 0 {
				return false
			}
			label = 0
			continue
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
			label++
		default:
			return false
		}
		if label > 63 {
			return false
		}
	}
	return s == "" || label > 0
}

// isIPv4 reports whether a valid name is in truth an IPv4 address: no top-level
// domain consists of digits alone.
func isIPv4(s string) bool {
	last := s[strings.LastIndexByte(s, '.')+1:]
	for i := 0; i < len(last); i++ {
		if last[i] < '0' || last[i] > '9' {
			return false
		}
	}
	return last != ""
}

// validIPv6 checks the letters only; whatever the address is, no site has it.
func validIPv6(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c >= 'A' && c <= 'F', c == ':', c == '.':
		default:
			return false
		}
	}
	return s != ""
}
