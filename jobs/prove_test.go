//go:build duckdb_arrow

package jobs

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"agnes/domain/work"
	"agnes/store/warehouse"
)

func TestEveryWallHolds(t *testing.T) {
	for _, w := range warehouse.Walls() {
		if !w.Held {
			t.Skipf("this kernel cannot: %s", w.Detail)
		}
	}
	s := newSupervisor(t, quiet())
	walls, err := s.Prove(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range walls {
		if underRace && w.Name == "memory" {
			continue // its shadow memory leaves no room for limits
		}
		if !w.Held {
			t.Errorf("%s: %s", w.Name, w.Detail)
		}
	}
	if len(walls) != 15 {
		t.Errorf("%d walls were tried, want 15: %v", len(walls), walls)
	}
	left, err := os.ReadDir(s.cfg.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		if strings.HasPrefix(e.Name(), ".doctor") {
			t.Errorf("%s stays behind", e.Name())
		}
	}
}

func TestWallsOfAChildThatIsGone(t *testing.T) {
	var said bytes.Buffer
	if err := work.WriteJSONFrame(&said, work.FrameProve, work.Wall{Name: "files", Held: true}); err != nil {
		t.Fatal(err)
	}
	walls, err := readWalls(&said)
	if err != nil || len(walls) != 2 || walls[1].Held {
		t.Errorf("%v, %v; want the wall of programs missing", walls, err)
	}
	if _, err := readWalls(&said); err == nil {
		t.Error("a child that said nothing proved something")
	}
	if err := work.WriteFrame(&said, work.FrameReady, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := readWalls(&said); err == nil {
		t.Error("a frame of another kind was taken")
	}
}
