package httpapi

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/navehub/nave"
)

// An operation answers one kind of request. An error is answered for it.
type operation func(x *exchange) error

// A route is what can be done at one path, by method.
type route map[string]operation

func (h *handler) table() map[string]route {
	return map[string]route{
		"/":          {http.MethodGet: h.index},
		"/v1/events": {http.MethodGet: h.events, http.MethodPost: h.publish},
		"/v1/state":  {http.MethodGet: h.state},
		"/livez":     {http.MethodGet: h.live},
		"/readyz":    {http.MethodGet: h.ready},
	}
}

// ServeHTTP finds the operation.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.cors.answer(w.Header(), r)
	protect(w.Header())
	if preflight(r) {
		h.serve(w, r, allowed)
		return
	}
	h.serve(w, r, h.find(r))
}

// allowed answers a preflight, which the headers are about.
func allowed(x *exchange) error {
	x.WriteHeader(http.StatusNoContent)
	return nil
}

func (h *handler) find(r *http.Request) operation {
	at, ok := h.routes[cmp.Or(r.URL.Path, "/")] // a mount point may be asked for without slash
	if !ok {
		return h.notFound
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet // net/http leaves the body out
	}
	if op, ok := at[method]; ok {
		return op
	}
	return at.otherwise
}

// otherwise answers a method that the route does not have.
func (at route) otherwise(x *exchange) error {
	methods := at.methods()
	x.Header().Set("Allow", methods)
	if x.r.Method == http.MethodOptions {
		x.WriteHeader(http.StatusNoContent)
		return nil
	}
	return methodNotAllowed(x.r.Method, methods)
}

func (at route) methods() string {
	all := []string{http.MethodOptions}
	for method := range maps.Keys(at) {
		all = append(all, method)
		if method == http.MethodGet {
			all = append(all, http.MethodHead)
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func (h *handler) notFound(x *exchange) error {
	paths := slices.Sorted(maps.Keys(h.routes))
	return nave.Errorf(codeNotFound, "there is nothing at %.100q: %s", x.r.URL.Path, meant(x.r.URL.Path, "there is", paths))
}
