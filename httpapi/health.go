package httpapi

import (
	"net/http"

	"github.com/navehub/nave/actors/hub"
)

// showHealth answers GET /v1/admin/health: how the hub fares now, and how it has
// fared. The same comes once a second as hub.health on nave.HealthTopic.
func (h *handler) showHealth(x *exchange) error {
	x.answer(http.StatusOK, struct {
		Now  *hub.Vitals `json:"now"` // null within the first second
		Past []hub.Point `json:"past"`
	}{h.Hub.Vitals(), append([]hub.Point{}, h.Hub.VitalsPast()...)})
	return nil
}
