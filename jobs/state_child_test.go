//go:build duckdb_arrow

package jobs

import (
	"encoding/json"
	"io"
	"os"

	"agnes/domain/work"
)

// actState plays an import or a mirror child: the file's name and the rows' table say how.
func actState(kind string, channel *os.File) int {
	out := json.NewEncoder(channel)
	tell := func(e work.Event) {
		if err := out.Encode(e); err != nil {
			os.Exit(4)
		}
	}
	in := json.NewDecoder(os.Stdin)
	if kind == "mirror" {
		return actMirror(in, tell)
	}
	var job work.ImportJob
	if err := in.Decode(&job); err != nil {
		return 2
	}
	if job.File == "old" {
		tell(work.Event{Failure: &work.Failure{Code: "schema_too_old", Message: "Old.", NextStep: "Upgrade."}})
		return 1
	}
	tell(work.Event{Schema: &work.StateSchema{Version: 51}})
	text := "x"
	for n := 0; n < 2 || job.File == "endless"; n++ {
		tell(work.Event{State: &work.StateRows{Table: "users", Rows: [][]*string{{&text, nil}}}})
	}
	tell(work.Event{Done: true})
	return 0
}

func actMirror(in *json.Decoder, tell func(work.Event)) int {
	var job work.MirrorJob
	if err := in.Decode(&job); err != nil {
		return 2
	}
	counts := map[string]int64{}
	for {
		var rows work.StateRows
		switch err := in.Decode(&rows); {
		case err == io.EOF:
			tell(work.Event{Failure: &work.Failure{Code: "internal", Message: "The rows broke off."}})
			return 1
		case err != nil:
			return 2
		case rows.End:
			tell(work.Event{Mirrored: &work.Mirrored{Rows: counts}, Done: true})
			return 0
		case rows.Table == "deaf":
			tell(work.Event{Failure: &work.Failure{Code: "disk_full", Message: "The disk is full."}})
			return 1
		}
		counts[rows.Table] += int64(len(rows.Rows))
	}
}
