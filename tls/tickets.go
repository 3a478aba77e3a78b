package tls

// RotateTickets replaces the key of session tickets when its time has come. Run
// does so; who serves without Run calls it now and then.
func (m *Manager) RotateTickets() { m.rotateTickets() }
