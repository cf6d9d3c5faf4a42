package frame

import "github.com/navehub/nave"

// Latest leaves out, of the keyed events of each key, all but the latest, so that the
// state that follows from the frames is the same. What was published as a batch stays
// whole. The result may be frames itself, which are not changed.
func Latest(frames []*Frame) []*Frame {
	seen := make(map[entity]bool, len(frames))
	stays := make([]bool, len(frames))
	left := 0
	for i := len(frames) - 1; i >= 0; i-- {
		e := &frames[i].Event
		of := entity{e.Topic, e.Key}
		stays[i] = e.Key == "" || e.Batch.N > 1 || !seen[of]
		if !stays[i] {
			left++
		}
		seen[of] = true
	}
	if left == 0 {
		return frames
	}
	latest := make([]*Frame, 0, len(frames)-left)
	for i, f := range frames {
		if stays[i] {
			latest = append(latest, f)
		}
	}
	return latest
}

// An entity is what keyed events are about.
type entity struct {
	topic nave.Topic
	key   string
}
