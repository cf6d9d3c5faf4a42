package nave

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Few segments, so that filters share nodes and topics match several.
var (
	indexSegments = rapid.SampledFrom([]string{"a", "b", "$"})
	indexTopics   = rapid.Custom(func(t *rapid.T) Topic {
		return Topic(strings.Join(rapid.SliceOfN(indexSegments, 1, 4).Draw(t, "segments"), "/"))
	})
	indexFilters = rapid.Custom(func(t *rapid.T) Filter {
		segment := rapid.OneOf(indexSegments, rapid.SampledFrom([]string{"*", "**"}))
		parts := rapid.SliceOfN(segment, 1, 4).Draw(t, "segments")
		for i, p := range parts {
			if p == "**" {
				parts = parts[:i+1]
				break
			}
		}
		return Filter(strings.Join(parts, "/"))
	})
)

// An indexModel is the Index that everybody understands.
type indexModel map[Filter]map[int]bool

func (m indexModel) match(t Topic) map[int]int {
	found := map[int]int{}
	for f, values := range m {
		if f.Match(t) {
			for v := range values {
				found[v]++
			}
		}
	}
	return found
}

func (m indexModel) len() (n int) {
	for _, values := range m {
		n += len(values)
	}
	return n
}

func TestIndexAgreesWithFilters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var x Index[int]
		model := indexModel{}
		values := rapid.IntRange(0, 5)
		add := func(f Filter, v int) {
			x.Add(f, v)
			if model[f] == nil {
				model[f] = map[int]bool{}
			}
			model[f][v] = true
		}
		remove := func(f Filter, v int) {
			x.Remove(f, v)
			delete(model[f], v)
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) { add(indexFilters.Draw(t, "filter"), values.Draw(t, "value")) },
			"remove": func(t *rapid.T) {
				remove(indexFilters.Draw(t, "filter"), values.Draw(t, "value"))
			},
			"crowd": func(t *rapid.T) {
				f := indexFilters.Draw(t, "filter")
				for v := range rapid.IntRange(0, 100).Draw(t, "n") {
					add(f, v)
				}
			},
			"disperse": func(t *rapid.T) {
				f := indexFilters.Draw(t, "filter")
				for v := rapid.IntRange(0, 5).Draw(t, "from"); v < 100; v++ {
					remove(f, v)
				}
			},
			"": func(t *rapid.T) {
				if got, want := x.Len(), model.len(); got != want {
					t.Fatalf("Len = %d, want %d", got, want)
				}
				topic := indexTopics.Draw(t, "topic")
				if diff := cmp.Diff(model.match(topic), indexMatch(&x, topic)); diff != "" {
					t.Fatalf("match %s (-want +got):\n%s", topic, diff)
				}
			},
		})
		for f, values := range model {
			for v := range values {
				x.Remove(f, v)
			}
		}
		checkIndexEmpty(t, &x)
	})
}

func indexMatch(x *Index[int], t Topic) map[int]int {
	found := map[int]int{}
	x.Match(t, func(v int) { found[v]++ })
	return found
}

func checkIndexEmpty(t rapid.TB, x *Index[int]) {
	t.Helper()
	if x.len != 0 || len(x.exact.m) != 0 || len(x.edges.m) != 0 || x.root.rest.n != 0 || x.root.star != nil || x.root.literals != nil {
		t.Errorf("emptied, but it keeps %d values, %d topics, %d edges", x.len, len(x.exact.m), len(x.edges.m))
	}
	if peak := max(x.exact.peak, x.edges.peak); peak >= 64 {
		t.Errorf("emptied, but a map keeps room for %d entries", peak)
	}
}

func TestIndexOfZeroValue(t *testing.T) {
	var x Index[int]
	x.Remove("cards/1", 1)
	x.Remove("cards/*/**", 1)
	x.Match("cards/1", func(v int) { t.Errorf("found %d in an empty index", v) })
	if x.Len() != 0 {
		t.Errorf("Len = %d", x.Len())
	}
}

func TestIndexRemovesOnlyWhatIsThere(t *testing.T) {
	var x Index[int]
	for _, f := range []Filter{"cards/1", "cards/*", "cards/**"} {
		x.Add(f, 1)
		x.Add(f, 1)
		x.Remove(f, 2)
	}
	x.Remove("cards/*/*", 1)
	x.Remove("cards/*/**", 1)
	x.Remove("*", 1)
	if diff := cmp.Diff(map[int]int{1: 3}, indexMatch(&x, "cards/1")); diff != "" || x.Len() != 3 {
		t.Errorf("Len = %d, match (-want +got):\n%s", x.Len(), diff)
	}
}

// A crowd's slice and map shrink with it.
func TestIndexGivesMemoryBack(t *testing.T) {
	const crowd = 10_000
	for _, f := range []Filter{"cards/1", "cards/*", "cards/**"} {
		var x Index[int]
		for v := range crowd {
			x.Add(f, v)
			x.Add(Filter(fmt.Sprint("cards/", v)), v)
			x.Add(Filter(fmt.Sprint("cards/", v, "/**")), v)
		}
		for v := range crowd - 2 {
			x.Remove(f, v)
			x.Remove(Filter(fmt.Sprint("cards/", v)), v)
			x.Remove(Filter(fmt.Sprint("cards/", v, "/**")), v)
		}
		topic := x.exact.m["cards/1"].many
		star := x.child(&x.root, "cards").star
		for _, m := range []*many[int]{topic, x.child(&x.root, "cards").rest.many} {
			if m != nil && (cap(m.values) > 16 || m.places != nil) {
				t.Errorf("%s: two of %d are left in room for %d", f, crowd, cap(m.values))
			}
		}
		if star != nil && cap(star.here.many.values) > 16 {
			t.Errorf("%s: two of %d are left in room for %d", f, crowd, cap(star.here.many.values))
		}
		for v := crowd - 2; v < crowd; v++ {
			x.Remove(f, v)
			x.Remove(Filter(fmt.Sprint("cards/", v)), v)
			x.Remove(Filter(fmt.Sprint("cards/", v, "/**")), v)
		}
		checkIndexEmpty(t, &x)
	}
}

func TestIndexMatchAllocatesNothing(t *testing.T) {
	x := bigIndex(100)
	n := 0
	got := testing.AllocsPerRun(100, func() {
		x.Match("cards/board-7/card-1", func(int) { n++ })
		x.Match("$hub/presence", func(int) { n++ })
	})
	if got != 0 || n == 0 {
		t.Errorf("Match allocates %v times, with %d found", got, n)
	}
}

// bigIndex has n exact filters and n patterns of four kinds.
func bigIndex(n int) *Index[int] {
	var x Index[int]
	for v := range n {
		x.Add(Filter(fmt.Sprintf("cards/board-%d/card-1", v)), v)
		switch v % 4 {
		case 0:
			x.Add(Filter(fmt.Sprintf("cards/board-%d/*", v)), v)
		case 1:
			x.Add(Filter(fmt.Sprintf("users/user-%d/**", v)), v)
		case 2:
			x.Add(Filter(fmt.Sprintf("*/board-%d/card-1", v)), v)
		case 3:
			x.Add(Filter(fmt.Sprintf("cards/board-%d/**", v)), v)
		}
	}
	return &x
}

func BenchmarkIndexMatch(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("%d exact and %[1]d patterns", n), func(b *testing.B) {
			x := bigIndex(n)
			found := 0
			b.ReportAllocs()
			for b.Loop() {
				x.Match("cards/board-7/card-1", func(int) { found++ })
			}
			b.ReportMetric(float64(found)/float64(b.N), "found/op")
		})
	}
}

func BenchmarkIndexCrowd(b *testing.B) {
	const crowd = 100_000
	for _, f := range []Filter{"cards/1", "cards/*"} {
		var x Index[int]
		for v := range crowd {
			x.Add(f, v)
		}
		b.Run("leave and join "+string(f), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				v := rand.IntN(crowd)
				x.Remove(f, v)
				x.Add(f, v)
			}
		})
		b.Run("match "+string(f), func(b *testing.B) {
			n := 0
			for b.Loop() {
				x.Match("cards/1", func(int) { n++ })
			}
		})
	}
}

func BenchmarkIndexAddRemove(b *testing.B) {
	x := bigIndex(10_000)
	for _, f := range []Filter{"cards/new", "cards/board-1/*/new", "new/new/new/**"} {
		b.Run(string(f), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x.Add(f, 1)
				x.Remove(f, 1)
			}
		})
	}
}

// BenchmarkIndexMemory shows what a subscription costs: one value per filter.
func BenchmarkIndexMemory(b *testing.B) {
	for name, format := range map[string]string{
		"exact": "cards/board-%d", "pattern": "cards/board-%d/**", "deep pattern": "users/%d/cards/*",
	} {
		filters := make([]Filter, 100_000)
		for i := range filters {
			filters[i] = Filter(fmt.Sprintf(format, i))
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var x Index[int]
				for v, f := range filters {
					x.Add(f, v)
				}
			}
		})
	}
}

// Filters that are deep and nearly the same cost no more than their number.
func TestIndexOfDeepPatterns(t *testing.T) {
	const n, depth = 500, 120
	random := rand.New(rand.NewPCG(1, 2))
	var x Index[int]
	var filters []Filter
	for i := range n { // pairs that part at their end, and one that ends in their midst
		var path strings.Builder
		for range depth {
			path.WriteString([]string{"*/", "a/"}[random.IntN(2)])
		}
		filters = append(filters, Filter(path.String()+"x/*"), Filter(path.String()+"y/*"), Filter(path.String()[:2*random.IntN(depth)]+"**"))
		for _, f := range filters[3*i:] {
			x.Add(f, i)
		}
	}
	check := func(patterns int) {
		t.Helper()
		if nodes := countNodes(&x.root) - 1; nodes > 2*patterns {
			t.Errorf("%d patterns take %d nodes, more than two each", patterns, nodes)
		}
	}
	check(len(filters))
	topic := Topic(strings.Repeat("a/", depth) + "x/1")
	if got := len(indexMatch(&x, topic)); got != n {
		t.Errorf("%d of %d match", got, n)
	}
	for i, f := range filters {
		if i%3 > 0 {
			x.Remove(f, i/3)
		}
	}
	check(n)
	for i, f := range filters {
		x.Remove(f, i/3)
	}
	checkIndexEmpty(t, &x)
}

func countNodes(n *node[int]) int {
	count := 1
	if n.star != nil {
		count += countNodes(n.star)
	}
	for child := n.literals; child != nil; child = child.next {
		count += countNodes(child)
	}
	return count
}
