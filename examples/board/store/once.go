package store

import "time"

// onceMemory is for how long edits and moves are known, so that one that is sent
// again, since its answer was lost, does not undo what others have done since.
const onceMemory = 7 * 24 * time.Hour

// note reports whether what has this id has happened already. What has none happens
// as often as it is sent.
func (t *tx) note(id string) (again bool, err error) {
	if id == "" {
		return false, nil
	}
	if err := checkID(id); err != nil {
		return false, err
	}
	if err := t.do(`DELETE FROM happened WHERE at < ?`, t.now.Add(-onceMemory).UnixMilli()); err != nil {
		return false, err
	}
	noted, err := t.ExecContext(t.ctx, `INSERT OR IGNORE INTO happened VALUES (?, ?)`, id, t.now.UnixMilli())
	if err != nil {
		return false, err
	}
	count, err := noted.RowsAffected()
	return count == 0, err
}
