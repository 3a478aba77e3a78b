package tls

import "time"

// SetOrderTimeout shortens what m waits for an order.
func SetOrderTimeout(m *Manager, d time.Duration) {
	for _, i := range m.issuers {
		i.patience = d
	}
}
