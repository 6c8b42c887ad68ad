package policy

// Add adds all that another policy says. Where one denies the sum denies, and of the
// defaults the stricter one counts.
func (p *Policy) Add(other *Policy) {
	p.Rules = append(p.Rules, other.Rules...)
	p.Calls = append(p.Calls, other.Calls...)
	p.Open |= other.Open
	if Stricter(other.Default, p.Default) {
		p.Default = other.Default
	}
}
