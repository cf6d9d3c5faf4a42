package pebblelog

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog/internal/horizon"
	"github.com/navehub/nave/eventlog/internal/memstore"
)

// Open opens the log in the directory, or makes one there if the directory is
// empty or does not exist. It refuses a directory that another process has
// open, that holds something else, or that a newer version wrote.
func Open(ctx context.Context, dir string, o Options) (*Log, error) {
	return open(ctx, dir, o, nil)
}

// open takes over the memory events of the log that was open before in this
// process, if there was one.
func open(ctx context.Context, dir string, o Options, before *Log) (*Log, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	o.MinFree = cmp.Or(o.MinFree, 64<<20)
	if before != nil { // no other is made in its place
		if err := stillThere(o.FS, dir); err != nil {
			return nil, err
		}
	}
	d, err := claim(o.FS, dir)
	if err != nil {
		return nil, oneLine(err)
	}
	l, err := openIn(d, o, before)
	if err != nil {
		return nil, oneLine(errors.Join(err, d.lock.Close()))
	}
	return l, nil
}

func openIn(d *directory, o Options, before *Log) (*Log, error) {
	l := &Log{
		dir:       d.path,
		options:   o,
		lock:      d.lock,
		memory:    memstore.New(o.Memory, o.Window()),
		fault:     new(fault),
		damage:    new(fault),
		horizons:  horizon.New(memstore.MaxHorizons),
		restarts:  horizon.New(maxSegments),
		marked:    make(map[string]bool),
		snapshots: snapshots{open: make(map[*snapshot]struct{})},
	}
	err := l.begin(d, before)
	// Files that a full disk cut short look damaged to Pebble.
	if cause := l.fault.err(); err != nil && cause != nil {
		err = cause
	}
	switch {
	case err == nil && before != nil:
		l.noteDamage(before.damage.err())
		return l, nil
	case err == nil:
		return l, nil
	case isDamage(err), !ofTheSystem(err):
		return nil, damageIn(d.path, err)
	default:
		return nil, fmt.Errorf("open the log in %s: %w", d.path, err)
	}
}

func (l *Log) begin(d *directory, before *Log) (err error) {
	var acknowledged uint64
	if l.acked, acknowledged, err = openHead(failStop{l.options.FS, l.fault}, d.path); err != nil {
		return err
	}
	if l.db, err = pebble.Open(d.path, l.pebbleOptions(d)); err != nil {
		return errors.Join(err, l.acked.close())
	}
	if err = l.load(d.fresh, before, acknowledged); err == nil {
		err = d.made()
	}
	if err == nil {
		err = l.broken()
	}
	if err != nil {
		err = errors.Join(err, l.db.Close(), l.acked.close())
	}
	return err
}

// The sizes that keep Pebble small. Pebble takes its memtables, up to two, out of
// the cache, and a cache that cannot hold the bloom filters of the idempotency
// keys makes an append cost twice as much, as do filters of big tables, each of
// which is one block.
const (
	memTableBytes = 4 << 20
	cacheBytes    = 8<<20 + 2*memTableBytes
	tableBytes    = 4 << 20
)

func (l *Log) pebbleOptions(d *directory) *pebble.Options {
	o := &l.options
	p := &pebble.Options{
		FS:                 failStop{o.FS, l.fault},
		Lock:               d.lock,
		ErrorIfNotExists:   !d.fresh,
		Logger:             logger{o.Logger, l.fault},
		EventListener:      &pebble.EventListener{DataCorruption: func(i pebble.DataCorruptionInfo) { l.damage.set(i.Details) }},
		FormatMajorVersion: pebble.FormatTableFormatV6,
		MemTableSize:       cmp.Or(o.memTableBytes, memTableBytes),
		CacheSize:          cacheBytes,
		MaxOpenFiles:       256,
	}
	for i := range p.Levels {
		p.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		p.TargetFileSizes[i] = tableBytes
	}
	return p
}

// load reads what the log has to know, and takes note of the restart. Only a
// fresh log is without an epoch: one that was made has lost what was written.
func (l *Log) load(fresh bool, before *Log, acknowledged uint64) error {
	epoch, err := l.get(epochKey)
	if err != nil {
		return err
	}
	value, err := l.get(positionKey)
	if err != nil {
		return err
	}
	w := l.newWrite()
	defer w.close()
	switch {
	case epoch != nil:
		l.epoch = nave.Epoch(epoch)
	case !fresh, value != nil:
		return fmt.Errorf("the epoch is missing: %w", errCorrupt)
	default:
		l.epoch = newEpoch()
		w.set(epochKey, []byte(l.epoch))
	}
	at := position{}
	if value != nil {
		if at, err = decodePosition(value); err != nil {
			return err
		}
	}
	if at.commits < acknowledged {
		return fmt.Errorf("%w: %d writes were acknowledged, and it has %d of them", errIncomplete, acknowledged, at.commits)
	}
	l.reserved = at.reserved
	l.head.Store(at.reserved)
	if before != nil && before.epoch != l.epoch {
		before = nil // another log lies here now
	}
	if err := errors.Join(l.loadOldest(at), l.loadHorizons(), l.restart(w, before), l.takeOver(before)); err != nil {
		return err
	}
	return l.commit(w, pebble.Sync)
}

// newEpoch has 60 random bits: short, since it is in every cursor.
func newEpoch() nave.Epoch { return nave.Epoch(strings.ToLower(rand.Text()[:12])) }

func (l *Log) loadOldest(at position) error {
	l.held.Store(&held{bytes: at.bytes, commits: at.commits})
	it, err := l.iterate([]byte{eventKeys})
	if err != nil {
		return err
	}
	defer it.Close()
	if !it.First() {
		return it.Error()
	}
	offset, commit, err := readCommit(it)
	if err != nil {
		return err
	}
	it.Last()
	_, latest, err := readCommit(it)
	if err != nil {
		return err
	}
	l.first = offset
	l.held.Store(&held{bytes: at.bytes, commits: at.commits, any: true, oldest: commit, latest: latest})
	return nil
}

func (l *Log) loadHorizons() error {
	return l.eachOffset(horizonKeys, func(topic string, offset uint64) {
		if topic == "" {
			l.horizons.RaiseFloor(offset)
			return
		}
		l.horizons.Raise(topic, offset)
	})
}
