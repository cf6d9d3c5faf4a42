package registry

import (
	"fmt"

	"github.com/hashicorp/go-memdb"
)

// The tables. Each has one index, by name. One more, by filter, was measured to
// make a connection cost three times as much, in time and in memory; without it
// a question about 15,000 clients looks at every row, in two milliseconds.
const (
	clients  = "clients"
	topics   = "topics"
	breakers = "breakers"
)

// A row is what a table holds: a pointer to a value that nobody changes any more.
type row interface{ rowID() rowID }

type rowID struct{ table, name string }

func (id rowID) rowID() rowID { return id }

func (c *Client) rowID() rowID { return rowID{clients, c.ID} }

func (t *Topic) rowID() rowID { return rowID{topics, string(t.Name)} }

func (b *Breaker) rowID() rowID { return rowID{breakers, b.Name} }

func newTables() *memdb.MemDB {
	schema := &memdb.DBSchema{Tables: map[string]*memdb.TableSchema{}}
	for _, name := range []string{clients, topics, breakers} {
		schema.Tables[name] = &memdb.TableSchema{
			Name: name,
			Indexes: map[string]*memdb.IndexSchema{
				byName: {Name: byName, Unique: true, Indexer: nameIndex{}},
			},
		}
	}
	db, err := memdb.NewMemDB(schema)
	check(err)
	return db
}

// byName is what memdb calls the primary index.
const byName = "id"

// nameIndex does what memdb's own field index does, without reflection, and so
// without a way to fail.
type nameIndex struct{}

func (nameIndex) FromObject(obj any) (bool, []byte, error) {
	return true, []byte(obj.(row).rowID().name), nil
}

func (nameIndex) FromArgs(args ...any) ([]byte, error) {
	name, ok := args[0].(string)
	if !ok {
		return nil, fmt.Errorf("%T is no name", args[0])
	}
	return []byte(name), nil
}
