package store

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"agnes/domain/registry"
	"agnes/domain/syncs"
)

// shelf is what is kept of a table, as plain lists without any time.
type shelf struct {
	made    []registry.VersionID // the first made first
	turns   []registry.VersionID // the one that was made or published last is last
	served  map[registry.VersionID]bool
	current registry.VersionID
	back    registry.VersionID // where to go back to while the current one was not read back
	open    bool               // it was not
}

func without(all []registry.VersionID, id registry.VersionID) []registry.VersionID {
	return slices.DeleteFunc(slices.Clone(all), func(v registry.VersionID) bool { return v == id })
}

func (h *shelf) publish(id registry.VersionID) {
	if !slices.Contains(h.made, id) {
		h.made = append(h.made, id)
	}
	h.turns = append(without(h.turns, id), id)
	h.served[id] = true
	if !h.open {
		h.back, h.open = h.current, true
	}
	h.current = id
}

// prune keeps the last n turns, the current version, the one that was published
// last before it, and the one to go back to.
func (h *shelf) prune(n int) (kept []registry.VersionID) {
	before := registry.VersionID("")
	for _, id := range h.turns {
		if id != h.current && h.served[id] {
			before = id
		}
	}
	last := h.turns[max(0, len(h.turns)-n):]
	stays := func(id registry.VersionID) bool {
		return slices.Contains(last, id) || id == h.current || id == before || h.open && id == h.back
	}
	for _, id := range slices.Clone(h.made) {
		if !stays(id) {
			h.made, h.turns = without(h.made, id), without(h.turns, id)
		}
	}
	return h.made
}

// listed are the versions of h as ListVersions tells them.
func (h *shelf) listed() string {
	var words []string
	for _, id := range h.made {
		words = append(words, string(id))
	}
	return strings.Join(words, " ")
}

// TestVersionsKeepTheirOrderUnderAnyClock publishes, holds, goes back, fails and
// forgets at random while the clock jumps, and compares what is kept with the
// lists above. A run that fails names its seed, which AGNES_SEED repeats.
func TestVersionsKeepTheirOrderUnderAnyClock(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	if text := os.Getenv("AGNES_SEED"); text != "" {
		seed = must[uint64](t)(strconv.ParseUint(text, 10, 64))
	}
	t.Logf("seed %d", seed)
	s, c := newStore(t)
	must[int64](t)(runner{on: s.writer, count: &s.queries}.exec(t.Context(), `PRAGMA synchronous = OFF`))
	random := rand.New(rand.NewPCG(seed, 1))
	for world := range 40 {
		table := registry.TableID(fmt.Sprintf("t%d", world))
		mustTables(t, s, string(table))
		h := &shelf{served: map[registry.VersionID]bool{}}
		var did []string
		for step := range 25 {
			c.advance(time.Duration(random.Int64N(int64(60*24*time.Hour))) - 30*24*time.Hour)
			did = append(did, h.step(t, s, random, table, registry.VersionID(fmt.Sprintf("%s-%02d", table, step))))
			if got, want := kept(t, s, table), h.listed(); got != want || current(t, s, table) != h.current {
				t.Fatalf("after %s:\nkept %q, current %s\nwant %q, current %s", strings.Join(did, ", "), got, current(t, s, table), want, h.current)
			}
		}
	}
}

// step does one thing to both and says what.
func (h *shelf) step(t *testing.T, s *Store, random *rand.Rand, table registry.TableID, id registry.VersionID) string {
	t.Helper()
	sound := random.IntN(4) > 0 // it is read back
	switch what := random.IntN(10); {
	case what < 4 || len(h.made) == 0:
		h.bring(t, s, table, id, sound)
		return fmt.Sprintf("%s made (%t)", id, sound)
	case what == 4:
		if err := s.KeepVersion(t.Context(), version(s, table, id)); err != nil {
			t.Fatal(err)
		}
		h.made, h.turns = append(h.made, id), append(h.turns, id)
		return string(id) + " held"
	case what < 7:
		id = h.made[random.IntN(len(h.made))]
		h.goBack(t, s, table, id, sound)
		return fmt.Sprintf("%s published again (%t)", id, sound)
	case what == 7:
		return h.replace(t, s, table)
	default:
		n := 1 + random.IntN(4)
		must[int](t)(s.PruneVersions(t.Context(), Retention{Keep: n}))
		h.prune(n)
		return fmt.Sprintf("the last %d kept", n)
	}
}

// bring publishes a new version, and takes it back when it is not sound.
func (h *shelf) bring(t *testing.T, s *Store, table registry.TableID, id registry.VersionID, sound bool) {
	t.Helper()
	old := *h
	v := version(s, table, id)
	before := must[*registry.Version](t)(s.PublishVersion(t.Context(), v))
	h.publish(id)
	if sound {
		h.confirm(t, s, table)
		return
	}
	if err := s.RevertVersion(t.Context(), v, before); err != nil {
		t.Fatal(err)
	}
	delete(h.served, id)
	h.made, h.turns, h.current, h.open = old.made, old.turns, old.current, false
}

// goBack publishes a kept version, and puts it back when it is not sound.
func (h *shelf) goBack(t *testing.T, s *Store, table registry.TableID, id registry.VersionID, sound bool) {
	t.Helper()
	if id == h.current {
		return
	}
	turns, served, was := slices.Clone(h.turns), h.served[id], h.current
	v := must[registry.Version](t)(s.GetVersion(t.Context(), table, id))
	before := must[*registry.Version](t)(s.PublishVersion(t.Context(), v))
	h.publish(id)
	if sound {
		h.confirm(t, s, table)
		return
	}
	if err := s.UnpublishVersion(t.Context(), v, before); err != nil {
		t.Fatal(err)
	}
	h.turns, h.served[id], h.current, h.open = turns, served, was, false
}

func (h *shelf) confirm(t *testing.T, s *Store, table registry.TableID) {
	t.Helper()
	if err := s.ConfirmVersion(t.Context(), registry.Version{ID: h.current, Table: table}); err != nil {
		t.Fatal(err)
	}
	h.open = false
}

// replace puts the version that was made and served before the current one in
// its place, as for a damaged one.
func (h *shelf) replace(t *testing.T, s *Store, table registry.TableID) string {
	t.Helper()
	at := slices.Index(h.made, h.current)
	for i := at - 1; i >= 0; i-- {
		if id := h.made[i]; h.served[id] {
			must[bool](t)(s.QuarantineVersion(t.Context(), syncs.Damage{
				Version: h.current, Table: table, FoundAt: s.now(), Code: "file_changed", Message: "It is wrong.", Outcome: syncs.ServesEarlier, Serves: id,
			}))
			was := h.current
			h.publish(id)
			h.open = false
			return fmt.Sprintf("%s in place of %s", id, was)
		}
	}
	return "nothing"
}
