package httpapi

import (
	"encoding/hex"
	"log/slog"
	"net/http"
	"path"
	"strconv"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/registry"
)

// adminPath is where everything is that takes an admin grant.
const adminPath = "/v1/admin/"

// adminPage is how many rows an answer has at most.
const adminPage = 1000

// A connection is a client as administrators see it.
type connection struct {
	ID        string       `json:"id"`
	Subject   string       `json:"subject,omitempty"`
	Issuer    string       `json:"issuer,omitempty"`
	Expires   time.Time    `json:"expires,omitzero"`
	Address   string       `json:"address,omitempty"`
	UserAgent string       `json:"userAgent,omitempty"`
	Transport string       `json:"transport"`
	Filters   nave.Filters `json:"filters"`
	Presence  []nave.Topic `json:"presence,omitempty"`
	Connected time.Time    `json:"connected"`
	State     string       `json:"state"`
	Lag       registry.Lag `json:"lag"`
}

func connectionOf(c registry.Client) connection {
	row := connection{
		ID: c.ID, UserAgent: c.UserAgent, Transport: c.Transport, Filters: c.Filters,
		Presence: c.Presence, Connected: c.Connected.UTC(), State: string(c.State), Lag: c.Lag,
	}
	if c.Address.IsValid() {
		row.Address = c.Address.String()
	}
	if c.Who != nil {
		row.Subject, row.Issuer, row.Expires = c.Who.Subject, c.Who.Issuer, c.Who.Expires.UTC()
	}
	return row
}

// named is the client that the path is about.
func (x *exchange) named(id string) (registry.Client, error) {
	c, ok := x.Hub.Registry().Snapshot().Client(id)
	if !ok {
		return c, nave.Errorf(nave.CodeNotFound, "there is no connection %.40q: it may have ended", id)
	}
	return c, nil
}

// showClient answers GET /v1/admin/clients/17.
func (x *exchange) showClient() error {
	c, err := x.named(path.Base(x.r.URL.Path))
	if err != nil {
		return err
	}
	x.answer(http.StatusOK, connectionOf(c))
	return nil
}

// disconnect answers DELETE /v1/admin/clients/17: the client may come again.
func (x *exchange) disconnect() error {
	name := path.Base(x.r.URL.Path)
	id, err := strconv.ParseUint(name, 10, 64)
	if err != nil {
		return nave.Errorf(nave.CodeNotFound, "there is no connection %.40q: they have numbers", name)
	}
	err = x.Hub.Disconnect(id)
	x.auditAction("disconnect", name, err)
	if err != nil {
		return err
	}
	x.WriteHeader(http.StatusNoContent)
	return nil
}

// listTopics answers GET /v1/admin/topics, in pages.
func (x *exchange) listTopics() error {
	values, err := x.parseValues([]string{"after"})
	if err != nil {
		return err
	}
	type topic struct {
		Name       nave.Topic `json:"name"`
		Durability string     `json:"durability"`
		Created    time.Time  `json:"created"`
	}
	page := struct {
		Topics []topic    `json:"topics"`
		Next   nave.Topic `json:"next,omitempty"`
	}{Topics: []topic{}}
	for t := range x.Hub.Registry().Snapshot().Topics() {
		if t.Name <= nave.Topic(values.Get("after")) {
			continue
		}
		if len(page.Topics) == adminPage {
			page.Next = page.Topics[adminPage-1].Name
			break
		}
		page.Topics = append(page.Topics, topic{t.Name, t.Durability.String(), t.Created.UTC()})
	}
	x.answer(http.StatusOK, page)
	return nil
}

// listKeys answers GET /v1/admin/keys: where keys come from, and how that goes.
func (x *exchange) listKeys() error {
	type source struct {
		Issuer    string    `json:"issuer,omitempty"`
		URL       string    `json:"url,omitempty"`
		Keys      int       `json:"keys"`
		FetchedAt time.Time `json:"fetchedAt,omitzero"`
		Error     string    `json:"error,omitempty"`
		NextTry   time.Time `json:"nextTry,omitzero"`
	}
	all := []source{}
	for _, s := range x.authority.Sources() {
		row := source{Issuer: s.Issuer, URL: s.URL, Keys: s.Keys, FetchedAt: s.FetchedAt.UTC(), NextTry: s.NextTry.UTC()}
		if s.Err != nil {
			row.Error = s.Err.Error()
		}
		all = append(all, row)
	}
	x.answer(http.StatusOK, map[string]any{"sources": all})
	return nil
}

// A revocation as administrators see it; key is what it is lifted by.
type revocation struct {
	Key string `json:"key"`
	auth.Revocation
}

// listRevocations answers GET /v1/admin/revocations, in pages.
func (x *exchange) listRevocations() error {
	values, err := x.parseValues([]string{"after"})
	if err != nil {
		return err
	}
	page := struct {
		Revocations []revocation `json:"revocations"`
		Next        string       `json:"next,omitempty"`
	}{Revocations: []revocation{}}
	for _, r := range x.authority.Revocations().All() {
		key := r.Key()
		if key <= values.Get("after") {
			continue
		}
		if len(page.Revocations) == adminPage {
			page.Next = page.Revocations[adminPage-1].Key
			break
		}
		page.Revocations = append(page.Revocations, revocation{key, r})
	}
	x.answer(http.StatusOK, page)
	return nil
}

// revoke answers POST /v1/admin/revocations.
func (x *exchange) revoke() error {
	var asked struct {
		auth.Revocation
		// Connection revokes the token of a living stream.
		Connection string `json:"connection"`
	}
	if err := x.readJSON(&asked); err != nil {
		return err
	}
	r := asked.Revocation
	if err := x.revokeConnection(&r, asked.Connection); err != nil {
		return err
	}
	r.At, r.By = time.Now().UTC(), x.who.Name()
	if lifetime := x.authority.Lifetime(); r.Until.IsZero() && lifetime > 0 {
		r.Until = r.At.Add(lifetime)
	}
	err := x.Hub.Revoke(x.r.Context(), r)
	x.auditAction("revoke", r.Key(), err, slog.Any("revoked", r))
	if err != nil {
		return err
	}
	x.answer(http.StatusCreated, revocation{r.Key(), r})
	return nil
}

// revokeConnection names the token of a connection, if that is what was asked for.
func (x *exchange) revokeConnection(r *auth.Revocation, id string) error {
	if id == "" {
		return nil
	}
	if r.ID+r.Subject+r.Token+r.Issuer != "" {
		return nave.Errorf(nave.CodeInvalid, "a revocation is about one of jti, subject, token or connection")
	}
	c, err := x.named(id)
	if err != nil {
		return err
	}
	if c.Who == nil || c.Who.Anonymous() {
		return nave.Errorf(nave.CodeInvalid, "connection %s has no token that could be revoked: DELETE /v1/admin/clients/%s ends it", id, id)
	}
	r.Token = hex.EncodeToString(c.Who.Fingerprint[:])
	if r.Until.IsZero() {
		r.Until = c.Who.Expires
	}
	return nil
}

// liftRevocation answers DELETE /v1/admin/revocations/jti-…
func (x *exchange) liftRevocation() error {
	key := path.Base(x.r.URL.Path)
	known, err := x.Hub.LiftRevocation(x.r.Context(), key)
	x.auditAction("lift revocation", key, err)
	switch {
	case err != nil:
		return err
	case !known:
		return nave.Errorf(nave.CodeNotFound, "there is no revocation %.60q", key)
	}
	x.WriteHeader(http.StatusNoContent)
	return nil
}

// showLevel answers GET /v1/admin/level.
func (x *exchange) showLevel() error {
	x.answer(http.StatusOK, x.Hub.Service())
	return nil
}

// pinLevel answers PUT /v1/admin/level: polling ends all streams, and tells them to
// poll.
func (x *exchange) pinLevel() error {
	var asked struct{ Level, Reason string }
	if err := x.readJSON(&asked); err != nil {
		return err
	}
	level, err := nave.ParseLevel(asked.Level)
	if err != nil {
		return err
	}
	return x.pin(&hub.Pin{Level: level, Reason: asked.Reason, By: x.who.Name(), At: time.Now().UTC()})
}

// unpinLevel answers DELETE /v1/admin/level.
func (x *exchange) unpinLevel() error { return x.pin(nil) }

func (x *exchange) pin(pin *hub.Pin) error {
	err := x.Hub.Pin(x.r.Context(), pin)
	if pin == nil {
		x.auditAction("lift the pin of the level", "", err)
	} else {
		x.auditAction("pin the level", string(pin.Level), err)
	}
	if err != nil {
		return err
	}
	return x.showLevel()
}
