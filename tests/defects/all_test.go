package defects

// all are the defects that one would least like to have.
var all = []defect{
	{
		name:  "acknowledge before the sync",
		edits: []edit{{"eventlog/pebblelog/append.go", "l.commit(w, pebble.Sync)", "l.commit(w, pebble.NoSync)"}},
		trial: []string{"./tests/power", "-run", "TestPowerCut$"},
		says:  `\d+ writes were acknowledged, and it has \d+ of them`,
	},
	{
		name: "the same, and note nowhere what was acknowledged",
		edits: []edit{
			{"eventlog/pebblelog/append.go", "l.commit(w, pebble.Sync)", "l.commit(w, pebble.NoSync)"},
			{"eventlog/pebblelog/head.go", "_, err := h.file.WriteAt(h.text, 0)", "var err error"},
		},
		trial: []string{"./tests/power", "-run", "TestPowerCut$"},
		says:  `.*(was acknowledged|stored again|never saw).*`,
	},
	{
		name:  "skip an event at the hand-over from catch-up to live",
		edits: []edit{{"actors/client/catchup.go", "c.live, c.behind, c.listed = true, nil, false", "c.live, c.behind, c.listed, c.position = true, nil, false, c.position+1"}},
		trial: []string{"./tests/crash", "-run", "TestCrashes$"},
		says:  `lost for a subscriber: \d+`,
	},
	{
		name:  "the same, only if it is committed in that moment",
		edits: []edit{{"actors/client/catchup.go", "if c.attached && c.position >= c.head {", "if c.attached && c.position+1 >= c.head {"}},
		trial: []string{"./actors/client", "-run", "TestHandover"},
		says:  `missed \d, and \d while it asked: it saw .*`,
	},
	{
		name:  "split a batch on reconnect: a cursor with each of its events",
		edits: []edit{{"actors/client/output.go", "last := i+1 == len(frames) || !frame.SameBatch(f, frames[i+1])", "last := i+1 > 0"}},
		trial: []string{"./tests/crash", "-run", "TestCrashes$"},
		says:  `batches split: \d+`,
	},
	{
		name: "split a batch in the log: its first event is committed alone",
		edits: []edit{{"eventlog/pebblelog/append.go", "\t\tw.events(b, b.Time.Add(l.options.Window()))\n", `		if len(b.Events) > 1 {
			first, half := l.newWrite(), *b
			half.Events = b.Events[:1]
			first.events(&half, b.Time.Add(l.options.Window()))
			first.position(position{max(l.reserved, last(accepted)), holds.bytes, holds.commits})
			if err := l.commit(first, pebble.Sync); err != nil {
				return holds, err
			}
			first.close()
		}
		w.events(b, b.Time.Add(l.options.Window()))
`}},
		trial: []string{"./tests/power", "-run", "TestPowerCut$"},
		says:  `.*saw \d+ of the \d+ events that it follows of the batch.*`,
	},
	{
		name: "reuse offsets after a crash",
		edits: []edit{{"eventlog/pebblelog/open.go", "\tl.reserved = at.reserved\n\tl.head.Store(at.reserved)\n", `	it, err := l.iterate([]byte{eventKeys})
	if err != nil {
		return err
	}
	at.reserved = 0
	if it.Last() {
		at.reserved, _ = eventKeyOffset(it.Key())
	}
	it.Close()
	l.reserved = at.reserved
	l.head.Store(at.reserved)
`}},
		trial: []string{"./tests/power", "-run", "TestPowerCut$"},
		says:  `offset \d+ is that of .*`,
	},
	{
		name:  "forget one idempotency key in seven",
		edits: []edit{{"eventlog/pebblelog/append.go", `if e.ID != "" {`, `if e.ID != "" && e.Offset%7 != 0 {`}},
		trial: []string{"./tests/crash", "-run", "TestCrashes$"},
		says:  `stored twice under one id: \d+`,
	},
	{
		name:  "check conditions against what was before the group",
		edits: []edit{{"eventlog/internal/admit/admit.go", "if e, ok := g.versions[k]; ok {\n\t\treturn e.Offset, nil", "if e, ok := g.versions[k]; ok && e == nil {\n\t\treturn 0, nil"}},
		trial: []string{"./tests/linear", "-run", "TestConditionalWrites$"},
		says:  `\S+ \(-seed \d+\) is not linearizable`,
	},
	{
		name:  "open a log in silence that has lost its end",
		edits: []edit{{"eventlog/pebblelog/open.go", "if at.commits < acknowledged {", "if at.commits+1 == 0 {"}},
		trial: []string{"./tests/disk", "-run", "TestDamagedFiles"},
		says:  `events are missing without a word: \d+`,
	},
	{
		name:  "let retention follow the wall clock",
		edits: []edit{{"actors/hub/clock.go", "func steady() time.Time { return started.Add(time.Since(started)) }", "func steady() time.Time { return time.Now().Round(0) }"}},
		trial: []string{"./tests/clock"},
		says:  `lost \d+, double.*|.*ids .*are forgotten`,
	},
	{
		name:  "believe a token that was believed, although its time is over",
		edits: []edit{{"auth/verifier.go", "if err := v.timely(old.claims, v.now()); err != nil {", "if err := v.timely(old.claims, v.now()); err != nil && old.claims == nil {"}},
		trial: []string{"./auth", "-run", "TestTimes$"},
		says:  `accepted.*`,
	},
	{
		name:  "go on with keys that the issuer has withdrawn",
		edits: []edit{{"auth/source.go", "\t\ts.keys.Store(fetched)\n", "\t\ts.keys.CompareAndSwap(nil, fetched)\n"}},
		trial: []string{"./tests/access", "-run", "TestIssuerRotatesItsKeys$"},
		says:  `its second key: \d+, want 200|its first key, which is gone: \d+, want 401`,
	},
	{
		name:  "send somebody away whose key cannot be fetched",
		edits: []edit{{"auth/source.go", "if err := s.remote.refresh(ctx); err != nil {", "if err := s.remote.refresh(ctx); err != nil && keys == nil {"}},
		trial: []string{"./tests/access", "-run", "TestIssuerDiesAndComesBack$"},
		says:  `a key that is not: 401 Unauthorized`,
	},
	{
		name:  "let in whose token was revoked",
		edits: []edit{{"auth/authority.go", "return id, a.config.Revocations.Check(id, a.config.Verifier.leeway)", "return id, nil"}},
		trial: []string{"./tests/access", "-run", "TestEveryCallByEveryCaller$"},
		says:  `revoked: \S+ \S+ .*: \d+, want 401`,
	},
	{
		name:  "leave publishers waiting for a log that is being reopened",
		edits: []edit{{"actors/hub/guard.go", "\tg.Hold(\"the log is being reopened\", next)\n", "\t_ = next\n"}},
		trial: []string{"./actors/hub", "-run", "TestBrokenLogRefusesAtOnce$"},
		says:  `cards/1 is answered .*`,
	},
	{
		name:  "refuse events although the log is open again",
		edits: []edit{{"actors/hub/guard.go", "\tif g.isHeld {\n\t\tg.isHeld = false\n\t\tg.Release()\n\t}\n", "\tg.isHeld = false\n"}},
		trial: []string{"./actors/hub", "-run", "TestBrokenLogRefusesAtOnce$"},
		says:  `the log is open again: the breaker log is open .*`,
	},
	{
		name:  "hold a publisher's own fault against its topic",
		edits: []edit{{"actors/hub/failing.go", "\treturn errors.As(err, &panicked)\n", "\treturn errors.As(err, &panicked) || err != nil\n"}},
		trial: []string{"./actors/hub", "-run", "TestRefusalsAreNoFailuresOfTheTopic$"},
		says:  `\d+ breakers|row: .*`,
	},
}
