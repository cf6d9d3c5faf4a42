package registry

// Flush writes now what has gathered.
func (r *Registry) Flush() { r.flush() }
