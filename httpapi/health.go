package httpapi

import (
	"net/http"

	"github.com/navehub/nave/actors/hub"
)

// showHealth answers GET /v1/admin/health: how the hub fares now, and how it has
// fared. The same comes once a second as hub.health on nave.HealthTopic.
func (x *exchange) showHealth() error {
	x.answer(http.StatusOK, struct {
		Now  *hub.Vitals `json:"now"` // null within the first second
		Past []hub.Point `json:"past"`
	}{x.Hub.Vitals(), append([]hub.Point{}, x.Hub.VitalsPast()...)})
	return nil
}
