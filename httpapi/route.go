package httpapi

import (
	"cmp"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/navehub/nave"
)

// An operation answers one kind of request. An error is answered for it.
type operation func(x *exchange) error

// A route is what can be done at one path, by method.
type route map[string]operation

const (
	eventsPath = "/v1/events"
	statePath  = "/v1/state"

	presencePath = "/v1/presence"
	receiptsPath = "/v1/receipts"
)

// table is all routes. Who calls is settled before an operation begins, but for those
// that are anybody's.
func (h *handler) table() map[string]route {
	routes := map[string]route{
		eventsPath:    {http.MethodGet: (*exchange).events, http.MethodPost: (*exchange).publish},
		statePath:     {http.MethodGet: (*exchange).state},
		presencePath:  {http.MethodGet: (*exchange).showPresence, http.MethodPost: (*exchange).reportIdle},
		receiptsPath:  {http.MethodPost: (*exchange).receive},
		"/v1/token":   {http.MethodPost: (*exchange).renew},
		"/v1/tickets": {http.MethodPost: (*exchange).issueTicket},

		"/v1/admin/level":         {http.MethodGet: (*exchange).showLevel, http.MethodPut: (*exchange).pinLevel, http.MethodDelete: (*exchange).unpinLevel},
		"/v1/admin/breakers":      {http.MethodGet: (*exchange).listBreakers},
		"/v1/admin/breakers/*":    {http.MethodGet: (*exchange).showBreaker, http.MethodDelete: (*exchange).resetBreaker},
		"/v1/admin/clients":       {http.MethodGet: (*exchange).listClients},
		"/v1/admin/clients/*":     {http.MethodGet: (*exchange).showClient, http.MethodDelete: (*exchange).disconnect},
		"/v1/admin/health":        {http.MethodGet: (*exchange).showHealth},
		"/v1/admin/keys":          {http.MethodGet: (*exchange).listKeys},
		"/v1/admin/topics":        {http.MethodGet: (*exchange).listTopics},
		"/v1/admin/revocations":   {http.MethodGet: (*exchange).listRevocations, http.MethodPost: (*exchange).revoke},
		"/v1/admin/revocations/*": {http.MethodDelete: (*exchange).liftRevocation},
	}
	if h.Metrics != nil {
		routes[metricsPath] = route{http.MethodGet: (*exchange).metrics}
	}
	for path, at := range routes {
		for method, op := range at {
			if at[method] = identified(op); strings.HasPrefix(path, adminPath) || path == metricsPath {
				at[method] = identified(administered(op))
			}
		}
	}
	routes["/"] = route{http.MethodGet: (*exchange).index}
	routes["/livez"] = route{http.MethodGet: (*exchange).live}
	routes["/readyz"] = route{http.MethodGet: (*exchange).ready}
	addDashboard(routes)
	return routes
}

// ServeHTTP finds the operation.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.cors.answer(w.Header(), r)
	protect(w.Header())
	switch {
	case !h.answersTo(r.Host):
		h.serve(w, r, (*exchange).misdirected)
	case preflight(r):
		h.serve(w, r, (*exchange).allowed)
	default:
		h.serve(w, r, h.find(r))
	}
}

// allowed answers a preflight, which the headers are about.
func (x *exchange) allowed() error {
	x.WriteHeader(http.StatusNoContent)
	return nil
}

// answersTo reports whether a Host is a name of the hub's.
func (h *handler) answersTo(host string) bool {
	if len(h.Hosts) == 0 {
		return true
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	return slices.ContainsFunc(h.Hosts, func(name string) bool { return strings.EqualFold(name, host) })
}

func (x *exchange) misdirected() error {
	return nave.Errorf(codeMisdirected, "this hub does not answer to %.100q: it is %s", x.r.Host, list(x.Hosts))
}

func (h *handler) find(r *http.Request) operation {
	at, ok := h.at(cmp.Or(r.URL.Path, "/")) // a mount point may be asked for without slash
	if !ok {
		return (*exchange).notFound
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

// at is the route of a path. The last segment of an administered one may be a name.
func (h *handler) at(path string) (at route, ok bool) {
	if at, ok = h.routes[path]; !ok && strings.HasPrefix(path, adminPath) {
		parent, name := path[:strings.LastIndexByte(path, '/')+1], path[strings.LastIndexByte(path, '/')+1:]
		if name != "" && name != "*" {
			at, ok = h.routes[parent+"*"]
		}
	}
	return at, ok
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

// aside reports whether a path is below parent although what was asked for is not.
func aside(path, asked, parent string) bool {
	return strings.HasPrefix(path, parent) && !strings.HasPrefix(asked, parent)
}

func (x *exchange) notFound() error {
	paths := slices.DeleteFunc(slices.Sorted(maps.Keys(x.routes)), func(path string) bool {
		return aside(path, x.r.URL.Path, adminPath) || aside(path, x.r.URL.Path, dashboardPath+"/")
	})
	return nave.Errorf(nave.CodeNotFound, "there is nothing at %.100q: %s", x.r.URL.Path, meant(x.r.URL.Path, "there is", paths))
}
