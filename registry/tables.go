package registry

import (
	"fmt"
	"strconv"

	"github.com/hashicorp/go-memdb"
)

// The tables. Each has one index, by name. One more, by filter, was measured to
// make a connection cost three times as much, in time and in memory; without it
// a question about 15,000 clients looks at every row, in two milliseconds.
const (
	clients  = "clients"
	topics   = "topics"
	breakers = "breakers"
	members  = "members"
)

// A row is what a table holds: a pointer to a value that nobody changes any more.
type row interface{ rowID() rowID }

type rowID struct{ table, name string }

func (id rowID) rowID() rowID { return id }

func (c *Client) rowID() rowID { return rowID{clients, c.ID} }

func (t *Topic) rowID() rowID { return rowID{topics, string(t.Name)} }

func (b *Breaker) rowID() rowID { return rowID{breakers, b.Name} }

// rowID has a name that begins with the topic, so that its members are neighbours, in
// the order of their subjects. A topic has no NUL; what else may have one is told apart
// by its length.
func (m *Member) rowID() rowID {
	name := make([]byte, 0, len(m.Topic)+len(m.Subject)+len(m.Issuer)+8)
	name = append(append(name, m.Topic...), 0)
	name = append(append(name, m.Subject...), 0)
	name = append(append(name, m.Issuer...), 0)
	name = strconv.AppendInt(name, int64(len(m.Subject)), 10)
	return rowID{members, string(strconv.AppendBool(name, m.Anonymous))}
}

func newTables() *memdb.MemDB {
	schema := &memdb.DBSchema{Tables: map[string]*memdb.TableSchema{}}
	for _, name := range []string{clients, topics, breakers, members} {
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
