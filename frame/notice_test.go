package frame_test

import (
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/frame"
)

func TestNotices(t *testing.T) {
	at := nave.Cursor{Epoch: epoch, Offset: 42}
	tests := []struct {
		name      string
		notice    frame.Notice
		sse, line string
	}{
		{
			"a new client",
			frame.Notice{
				Name: frame.SyncName, Cursor: at, Retry: 2 * time.Second,
				Data: frame.Sync{Status: frame.Live, Cursor: at.String()},
			},
			"id: k3v9x1-42\nevent: hub.sync\nretry: 2000\n" +
				`data: {"status":"live","cursor":"k3v9x1-42"}` + "\n\n",
			`{"type":"hub.sync","cursor":"k3v9x1-42","data":{"status":"live","cursor":"k3v9x1-42"}}` + "\n",
		},
		{
			"one that resumes stands where it stood",
			frame.Notice{Name: frame.SyncName, Data: frame.Sync{Status: frame.Recovered}},
			"event: hub.sync\n" + `data: {"status":"recovered"}` + "\n\n",
			`{"type":"hub.sync","data":{"status":"recovered"}}` + "\n",
		},
		{
			"one that has to fetch anew",
			frame.Notice{Name: frame.SyncName, Cursor: at, Data: frame.Sync{
				Status: frame.Reset, Reason: nave.ResetRetention, Cursor: at.String(),
			}},
			"id: k3v9x1-42\nevent: hub.sync\n" +
				`data: {"status":"reset","reason":"retention","cursor":"k3v9x1-42"}` + "\n\n",
			`{"type":"hub.sync","cursor":"k3v9x1-42","data":{"status":"reset","reason":"retention","cursor":"k3v9x1-42"}}` + "\n",
		},
		{
			"a snapshot begins, without a cursor",
			frame.Notice{Name: frame.SyncName, Data: frame.Sync{Status: frame.Live, Snapshot: "begin"}},
			"event: hub.sync\n" + `data: {"status":"live","snapshot":"begin"}` + "\n\n",
			`{"type":"hub.sync","data":{"status":"live","snapshot":"begin"}}` + "\n",
		},
		{
			"a heartbeat",
			frame.Notice{Name: frame.HeartbeatName, Cursor: at, Data: frame.Heartbeat{Time: noon, Cursor: at.String(), HeartbeatMS: 15000}},
			"id: k3v9x1-42\nevent: hub.heartbeat\n" +
				`data: {"time":"2026-03-01T12:00:00.005Z","cursor":"k3v9x1-42","heartbeatMs":15000}` + "\n\n",
			`{"type":"hub.heartbeat","cursor":"k3v9x1-42","data":{"time":"2026-03-01T12:00:00.005Z","cursor":"k3v9x1-42","heartbeatMs":15000}}` + "\n",
		},
		{
			"goodbye",
			frame.Notice{Name: frame.ByeName, Retry: 3500 * time.Millisecond, Data: frame.Bye{Reason: "shutdown", RetryMS: 3500}},
			"event: hub.bye\nretry: 3500\n" + `data: {"reason":"shutdown","retryMs":3500}` + "\n\n",
			`{"type":"hub.bye","data":{"reason":"shutdown","retryMs":3500}}` + "\n",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := string(test.notice.Bytes(frame.SSE)); got != test.sse {
				t.Errorf("SSE:\n%s\nwant:\n%s", got, test.sse)
			}
			if got := string(test.notice.Bytes(frame.NDJSON)); got != test.line {
				t.Errorf("NDJSON:\n%s\nwant:\n%s", got, test.line)
			}
		})
	}
}
