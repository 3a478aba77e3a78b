package embedded

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"domherre/dnsprovider/dnsclient"
)

// Secondaries are the name servers that take the zones from here and serve
// them to the world.
type Secondaries struct {
	Allow   []netip.Prefix    // from where zones may be transferred
	Keys    dnsclient.Keyring // one of which must sign transfers, where there are any
	Notify  []netip.AddrPort  // told of every change (RFC 1996)
	Catalog string            // name of the catalog zone, absolute; "" for none
}

// Equal reports whether both say the same.
func (s Secondaries) Equal(o Secondaries) bool {
	return slices.Equal(s.Allow, o.Allow) && slices.Equal(s.Notify, o.Notify) && s.Keys.Equal(o.Keys) && s.Catalog == o.Catalog
}

// Join adds those of another provider.
func (s Secondaries) Join(o Secondaries) Secondaries {
	return Secondaries{
		Allow:   slices.Concat(s.Allow, o.Allow),
		Keys:    slices.Concat(s.Keys, o.Keys),
		Notify:  slices.Concat(s.Notify, o.Notify),
		Catalog: cmp.Or(s.Catalog, o.Catalog),
	}
}

// may reports whether a client may transfer zones: from an allowed address, and
// signed where there are keys. With a key alone, from anywhere.
func (s Secondaries) may(client netip.Addr, signed bool) bool {
	if len(s.Keys) > 0 && !signed {
		return false
	}
	anywhere := len(s.Keys) > 0 && len(s.Allow) == 0
	return anywhere || slices.ContainsFunc(s.Allow, func(net netip.Prefix) bool { return net.Contains(client) })
}

// Secondaries gives what the settings say of them.
func (s Settings) Secondaries() (Secondaries, error) {
	var out Secondaries
	var err error
	if out.Allow, err = s.allowed(); err != nil {
		return out, err
	}
	if out.Notify, err = s.notified(); err != nil {
		return out, err
	}
	if s.Catalog != "" {
		if out.Catalog, err = catalogName(s.Catalog); err != nil {
			return out, err
		}
	}
	if s.KeyName != "" || s.Key != "" {
		key, err := dnsclient.NewKey(s.KeyName, s.KeyAlg, s.Key)
		if err != nil {
			return out, err
		}
		out.Keys = dnsclient.Keyring{key}
	}
	return out, nil
}

// allowed gives the networks that may transfer zones.
func (s Settings) allowed() ([]netip.Prefix, error) {
	var nets []netip.Prefix
	for _, text := range s.AllowTransfer {
		if addr, err := netip.ParseAddr(text); err == nil {
			nets = append(nets, netip.PrefixFrom(addr.WithZone(""), addr.BitLen()))
			continue
		}
		net, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%q is no address or network; write it like 192.0.2.53 or 2001:db8::/64", text)
		}
		nets = append(nets, net.Masked())
	}
	return nets, nil
}

// notified gives the addresses that are told of changes, at port 53 where none
// is named.
func (s Settings) notified() ([]netip.AddrPort, error) {
	var all []netip.AddrPort
	for _, text := range s.Notify {
		to, err := netip.ParseAddrPort(text)
		if addr, plain := netip.ParseAddr(text); plain == nil {
			to, err = netip.AddrPortFrom(addr, 53), nil
		}
		if err != nil || to.Port() == 0 {
			return nil, fmt.Errorf("%q is no address; write it like 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:53", text)
		}
		all = append(all, to)
	}
	return all, nil
}

// checkKey finds what is wrong with the key's settings.
func (s Settings) checkKey(faults map[string]error) {
	if s.KeyName == "" && s.Key == "" {
		if s.KeyAlg != "" {
			faults["key_alg"] = fmt.Errorf("says nothing without key_name and key")
		}
		return
	}
	const valid = "a2V5" // any base64 at all, so that each setting is judged by itself
	if _, err := dnsclient.NewKey(s.KeyName, "", valid); err != nil {
		faults["key_name"] = err
	}
	if _, err := dnsclient.NewKey("key.", s.KeyAlg, valid); err != nil {
		faults["key_alg"] = err
	}
	if _, err := dnsclient.NewKey("key.", "", s.Key); err != nil {
		faults["key"] = err
	}
}
