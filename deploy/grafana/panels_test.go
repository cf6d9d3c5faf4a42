package grafana

// rows are what the dashboard shows. In an expression {hub} stands for the hubs
// that are chosen, and {hub, begins with them.
var rows = []row{
	{"How it is", []panel{
		{
			title: "Up", kind: stat, width: 3, states: true,
			about:   "Whether Prometheus could scrape the hub.",
			queries: []query{{`up{hub}`, "{{instance}}"}},
		},
		{
			title: "Ready", kind: stat, width: 3, states: true,
			about:   "Whether the hub can do all that it promises; /readyz says what is wrong.",
			queries: []query{{`nave_ready{hub}`, "{{instance}}"}},
		},
		{
			title: "Level", kind: stat, width: 3, names: true,
			about:   "The service level; docs/degradation.md says what each gives up, and GET /v1/admin/level what speaks for it.",
			queries: []query{{`nave_level_held{hub} == 1`, "{{nave_level}}"}},
		},
		{
			title: "Delivered within 100 ms", kind: stat, width: 3, unit: "percentunit", least: 0.99,
			about: "Share of live events that were written to a client's socket within 100 ms of being accepted. The promise is kept at 99 % or more.",
			queries: []query{{`sum(rate(nave_delivery_duration_seconds_bucket{hub,le="0.1"}[$__rate_interval])) ` +
				`/ sum(rate(nave_delivery_duration_seconds_count{hub}[$__rate_interval]))`, ""}},
		},
		{
			title: "Connections", kind: stat, width: 3,
			about:   "Streams that are open, and polls that wait. Near limits.connections new ones are refused.",
			queries: []query{{`sum(nave_connection_active{hub})`, ""}},
		},
		{
			title: "Lagging", kind: stat, width: 3,
			about:   "Connections that are behind and catch up from the log. A few are slow networks; many that stay are a hub or a network at its limit.",
			queries: []query{{`sum(nave_connection_lagging{hub})`, ""}},
		},
		{
			title: "Topics", kind: stat, width: 3,
			about:   "Topics that have an actor: those that were published to a short while ago.",
			queries: []query{{`sum(nave_topic_active{hub})`, ""}},
		},
		{
			title: "Version", kind: stat, width: 3, names: true,
			about:   "Which version runs.",
			queries: []query{{`target_info{hub}`, "{{service_version}}"}},
		},
		{
			title: "Events in", unit: "eps", stacked: true,
			about:   "Events that were published, by durability.",
			queries: rates("nave_publish_events_total", "nave_durability"),
		},
		{
			title: "Events out", unit: "eps", stacked: true,
			about:   "Events that were written to clients: live ones, and replayed ones to clients that came back or lag.",
			queries: rates("nave_delivery_events_total", "nave_delivery_kind"),
		},
		{
			title: "Conditions that did not hold", unit: "cps",
			about:   "Publishers that were told 409, because somebody else had been faster. That is how it is meant to be; many are a key that is fought over.",
			queries: rates("nave_publish_conflicts_total"),
		},
		{
			title: "Publishes refused", unit: "cps", stacked: true, width: 12,
			about:   "By code; docs/errors.md says what each means. unavailable is the log, busy and overloaded are limits, degraded is a service level, the others are the publisher's.",
			queries: rates("nave_publish_refused_total", "error_type"),
		},
		{
			title: "Requests refused", unit: "cps", stacked: true, width: 12,
			about:   "Requests of all kinds, and lines of them, by code: tokens are unauthorised and forbidden, streams that the service level has given up are degraded.",
			queries: rates("nave_request_refused_total", "error_type"),
		},
	}},
	{"Degradation", []panel{
		{
			title: "Levels", limit: 3,
			about:   "The service level of each hub: 0 is normal, 1 shed, 2 conserve, 3 polling, 4 off. From 3 on there are no streams.",
			queries: []query{{`nave_level{hub}`, "{{instance}}"}},
		},
		{
			title: "Changes of the level", unit: "cps",
			about:   "Changes of the service level, by the one that it changed to. Many are a hub that is near what it can do.",
			queries: rates("nave_level_changes_total", "nave_level"),
		},
		{
			title: "Heap in use", unit: "bytes",
			about: "What was in use when garbage was last collected, and what may be: from three quarters of that on the level gets worse. A budget of 0 is none.",
			queries: append(named("in use", sums("nave_heap_size_bytes")),
				named("budget", sums("nave_heap_budget_bytes"))...),
		},
		{
			title: "Wait for a processor, in the last second", unit: "s", limit: promise, width: 12,
			about:   "What 99 % of goroutines did not exceed in waiting for a processor, as the level goes by it.",
			queries: []query{{`nave_scheduling_latency_seconds{hub}`, "{{instance}}"}},
		},
		{
			title: "Files", width: 12,
			about:   "Files and sockets that are open, and that may be. Each connection is one.",
			queries: append(named("open", sums("nave_file_open")), named("limit", sums("nave_file_limit"))...),
		},
	}},
	{"Propagation", []panel{
		{
			title: "Delivery", unit: "s", limit: promise, width: 12,
			about:   "From an event being accepted to its socket write having returned; live events. The promise is 100 ms.",
			queries: quantiles("nave_delivery_duration_seconds"),
		},
		{
			title: "Publish", unit: "s", limit: promise, width: 12,
			about:   "From a publish being accepted to its answer: the wait for its topic, the wait for the journal, and the commit.",
			queries: quantiles("nave_publish_duration_seconds"),
		},
		{
			title: "Append", unit: "s", limit: promise,
			about:   "Time that the commit of one group took. On a durable log this is the disk.",
			queries: quantiles("nave_append_duration_seconds"),
		},
		{
			title: "Dispatch", unit: "s", limit: promise,
			about:   "Time that one shard took to offer one group to its clients.",
			queries: quantiles("nave_dispatch_duration_seconds"),
		},
		{
			title: "Fan-out", unit: "s", limit: promise,
			about:   "From commit to the last socket write. Sampled events only: without traces there are none.",
			queries: quantiles("nave_fanout_duration_seconds"),
		},
		{
			title: "Wait for the topic", unit: "s", limit: promise,
			about:   "Time that a publish waited in its topic's mailbox.",
			queries: quantiles("nave_topic_queue_duration_seconds"),
		},
		{
			title: "Wait for the journal", unit: "s", limit: promise,
			about:   "Time that a group's oldest publish waited in the journal's mailbox: about one commit while the disk keeps up.",
			queries: quantiles("nave_append_queue_duration_seconds"),
		},
		{
			title: "Wait for the socket", unit: "s", limit: promise,
			about:   "From an event being offered to a client to its socket write; live events. It grows when processors or networks are busy.",
			queries: quantiles("nave_delivery_queue_duration_seconds"),
		},
		{
			title: "Events through shards", unit: "eps",
			about: "Events that shards went through, once for each shard, and offers of them to clients.",
			queries: append(named("events", rates("nave_dispatch_events_total")),
				named("offers", rates("nave_dispatch_offers_total"))...),
		},
		{
			title: "Connections of an event",
			about: "How many connections an event was for. Sampled events only: without traces there are none.", width: 16,
			queries: quantiles("nave_fanout_size"),
		},
	}},
	{"At the client", []panel{
		{
			title: "Received", unit: "s", limit: promise,
			about:   "From an event being accepted to a client having received it, as its receipts say. The clock of the client does not matter; docs/telemetry.md has the bound of the error.",
			queries: quantiles("nave_delivery_received_duration_seconds"),
		},
		{
			title: "Rendered", unit: "s", limit: promise,
			about:   "From an event being accepted to a client having rendered it, as its receipts say.",
			queries: quantiles("nave_delivery_rendered_duration_seconds"),
		},
		{
			title: "Receipts", unit: "cps", stacked: true,
			about:   "Receipts that clients have sent, by what became of them. counted and moved are measured by; docs/telemetry.md says what the others are.",
			queries: rates("nave_delivery_receipts_total", "nave_receipt_result"),
		},
		{
			title: "Present", width: 12,
			about:   "Members who are present, each on one topic.",
			queries: sums("nave_presence_members"),
		},
		{
			title: "Joined and left", unit: "cps", width: 12,
			about: "Members who have come to a topic, and left it. A deploy that cuts all streams should not show here: they are back within presence.grace.",
			queries: append(named("joined", rates("nave_presence_joins_total")),
				named("left", rates("nave_presence_leaves_total"))...),
		},
	}},
	{"Log", []panel{
		{
			title: "Size", unit: "bytes", stacked: true,
			about:   "Bytes that the log holds: on disk, and of memory events. log.retention bounds both; the latest event of every key stays.",
			queries: sums("nave_log_size_bytes", "nave_durability"),
		},
		{
			title: "Latest offset",
			about: "The offset of the newest event of each hub. While it stands still nothing is stored.",
			queries: []query{
				{`nave_log_offset{hub}`, "{{instance}}"},
			},
		},
		{
			title:   "Events that can be replayed",
			about:   "Offsets from the oldest from which every topic can be resumed up to the newest, and so about how many events there are.",
			queries: []query{{`nave_log_offset{hub} - on (job, instance) nave_log_oldest{hub}`, "{{instance}}"}},
		},
		{
			title: "Age of the log", unit: "s",
			about:   "Age of the oldest durable event: log.retention bounds it.",
			queries: []query{{`nave_log_age_seconds{hub}`, "{{instance}}"}},
		},
		{
			title: "Bytes committed", unit: "Bps",
			about:   "What goes to the log, before the engine compacts it.",
			queries: rates("nave_append_io_bytes_total"),
		},
		{
			title: "Commits", unit: "cps", width: 12,
			about:   "Groups committed a second: on a durable log, syncs of the disk.",
			queries: []query{{`sum(rate(nave_append_group_size_count{hub}[$__rate_interval]))`, "commits"}},
		},
		{
			title: "Events in a commit", width: 12,
			about:   "Events that were committed as one group. They grow when publishers are faster than the disk syncs.",
			queries: quantiles("nave_append_group_size"),
		},
	}},
	{"Clients", []panel{
		{
			title: "Open", stacked: true,
			about: "Connections that are open, by transport. Polls are connections while they wait.",
			queries: []query{{`sum by (nave_transport) (nave_connection_opened_total{hub}) ` +
				`- (sum by (nave_transport) (nave_connection_closed_total{hub}) or 0 * sum by (nave_transport) (nave_connection_opened_total{hub}))`,
				"{{nave_transport}}"}},
		},
		{
			title: "Opened", unit: "cps", stacked: true,
			about:   "Connections that were opened, by transport.",
			queries: rates("nave_connection_opened_total", "nave_transport"),
		},
		{
			title: "Closed", unit: "cps", stacked: true,
			about:   "Connections that have ended, by reason. client is theirs; too slow and write are networks; level, auth, admin and shutdown are decisions.",
			queries: rates("nave_connection_closed_total", "nave_connection_close_reason"),
		},
		{
			title: "Refused", unit: "cps", stacked: true,
			about:   "Connections that were refused when they came: total is limits.connections or the process' files, address is limits.connections_per_address.",
			queries: rates("nave_connection_refused_total", "nave_connection_refusal_reason"),
		},
		{
			title: "Verdicts", unit: "cps", stacked: true,
			about:   "What connections were told of their cursors: live and recovered missed nothing; all others are resets, and their clients fetch anew.",
			queries: rates("nave_connection_syncs_total", "nave_sync_verdict"),
		},
		{
			title: "Age at the end", unit: "s",
			about:   "How old connections were that ended. Many young ones are clients that cannot stay: look at the reasons, and at proxies.",
			queries: quantiles("nave_connection_duration_seconds"),
		},
		{
			title: "Events by transport", unit: "eps", stacked: true, width: 6,
			about:   "Events that were written to clients, by transport.",
			queries: rates("nave_delivery_events_total", "nave_transport"),
		},
		{
			title: "Replays", unit: "cps", stacked: true, width: 6,
			about:   "Pages of past events that were read: ring is memory, log is the disk.",
			queries: []query{{`sum by (nave_replay_source) (rate(nave_replay_events_count{hub}[$__rate_interval]))`, "{{nave_replay_source}}"}},
		},
		{
			title: "Events in a replay", width: 6,
			about: "Events in one page of past events.",
			queries: []query{{`sum by (nave_replay_source) (rate(nave_replay_events_sum{hub}[$__rate_interval])) ` +
				`/ sum by (nave_replay_source) (rate(nave_replay_events_count{hub}[$__rate_interval]))`, "{{nave_replay_source}}"}},
		},
		{
			title: "Time of a replay", unit: "s", width: 6,
			about:   "Time that reading one page of past events took.",
			queries: quantiles("nave_replay_duration_seconds"),
		},
	}},
	{"Actors", []panel{
		{
			title: "Failures",
			about: "Failures of actors since their process began, by kind and by what their supervisor did. Each is a defect, with its stack in the log; escalate ends the process.",
			queries: []query{{`sum by (nave_actor_kind, nave_actor_directive) (nave_actor_failures_total{hub})`,
				"{{nave_actor_kind}}: {{nave_actor_directive}}"}},
		},
		{
			title: "Restarts", unit: "cps",
			about:   "Restarts of actors, by kind. The journal restarts to reopen a log that failed.",
			queries: rates("nave_actor_restarts_total", "nave_actor_kind"),
		},
		{
			title: "Actors", stacked: true,
			about:   "Actors that are alive, by kind.",
			queries: sums("nave_actor_active", "nave_actor_kind"),
		},
		{
			title: "Messages that wait", stacked: true, width: 6,
			about:   "Messages in all mailboxes, by the kind of their actors.",
			queries: sums("nave_mailbox_messages", "nave_actor_kind"),
		},
		{
			title: "Bytes that wait", unit: "bytes", stacked: true, width: 6,
			about:   "Bytes in all mailboxes, by the kind of their actors.",
			queries: sums("nave_mailbox_size_bytes", "nave_actor_kind"),
		},
		{
			title: "The fullest mailbox", width: 6,
			about:   "Messages in the fullest mailbox of each kind. One that stays full has an actor that cannot keep up.",
			queries: []query{{`max by (nave_actor_kind) (nave_mailbox_depth_max{hub})`, "{{nave_actor_kind}}"}},
		},
		{
			title: "Refused by full mailboxes", unit: "cps", stacked: true, width: 6,
			about:   "Messages that a full mailbox refused. For a client it means that it lags; for a topic or the journal, that publishers are told to wait.",
			queries: rates("nave_mailbox_refused_total", "nave_actor_kind"),
		},
		{
			title: "Breakers that are not closed", stacked: true, width: 12,
			about:   "Circuit breakers that are open or half-open; GET /v1/admin/breakers says which, and why. That of the log refuses durable and memory events.",
			queries: sums("nave_breaker_open", "instance"),
		},
		{
			title: "Changes of breakers", unit: "cps", width: 12,
			about:   "Changes of circuit breakers, by the state that they changed to. One that opens again and again guards something that does not work.",
			queries: rates("nave_breaker_transitions_total", "nave_breaker_state"),
		},
	}},
	{"Process", []panel{
		{
			title: "Memory", unit: "bytes", stacked: true,
			about:   "What Go's runtime holds: stacks, and the heap with all else. The hub has no metric of its resident size; the host or container has.",
			queries: sums("go_memory_used_bytes", "go_memory_type"),
		},
		{
			title: "Heap goal", unit: "bytes",
			about:   "The size of the heap at which garbage is collected next.",
			queries: sums("go_memory_gc_goal_bytes"),
		},
		{
			title: "Allocated", unit: "Bps",
			about:   "What the hub allocates. It follows events and requests; garbage collection follows it.",
			queries: rates("go_memory_allocated_bytes_total"),
		},
		{
			title: "Goroutines", width: 12,
			about:   "Streams over plain HTTP/1.1 need none of their own; those over TLS and HTTP/2 do.",
			queries: sums("go_goroutine_count"),
		},
		{
			title: "Wait for a processor", unit: "s", limit: promise, width: 12,
			about:   "How long goroutines that could run waited for a processor. When it grows the hub needs more of them: it has no metric of its processor time; the host or container has.",
			queries: quantiles("go_schedule_duration_seconds"),
		},
	}},
}
