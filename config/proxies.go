package config

import (
	"fmt"
	"net/netip"
)

// Networks are Trusted, as Validate has found them to be right.
func (p Proxies) Networks() []netip.Prefix {
	var all []netip.Prefix
	for _, text := range p.Trusted {
		if n, err := network(text); err == nil {
			all = append(all, n)
		}
	}
	return all
}

func (p Proxies) check(refuse refuser) {
	for i, text := range p.Trusted {
		if _, err := network(text); err != nil {
			refuse(item("proxies.trusted", i), "%v", err)
		}
	}
}

// network reads a network, or an address, which is one for itself.
func network(text string) (netip.Prefix, error) {
	if at, err := netip.ParseAddr(text); err == nil && at.Zone() == "" {
		at = at.Unmap()
		return netip.PrefixFrom(at, at.BitLen()), nil
	}
	n, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return n, fmt.Errorf("%q is not a network: write it like 10.0.0.0/8, 2001:db8::/32 or 192.0.2.7", text)
	case n.Addr().Is4In6():
		return n, fmt.Errorf("%q is a network of IPv4: write it like 10.0.0.0/8", text)
	case n != n.Masked():
		return n, fmt.Errorf("%q is an address in a network: write %s for all of it, or %s for the one", text, n.Masked(), n.Addr())
	}
	return n, nil
}
