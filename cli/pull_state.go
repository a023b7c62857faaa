package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"
)

// localTable is what the last pull left of one table. Modified tells whether
// somebody has touched the file since.
type localTable struct {
	Hash      string `json:"hash"`
	Rows      int64  `json:"rows"`
	SizeBytes int64  `json:"size_bytes"`
	Modified  int64  `json:"modified_ns,omitempty"`
}

// workspaceState is what pulls into one workspace left there.
type workspaceState struct {
	Tables   map[string]localTable `json:"tables"`
	LastSync string                `json:"last_sync"` // the last pull without a failure
}

// syncState is the content of sync_state.json: on top the last workspace, where
// older clients look for it, and below every workspace by its folder.
type syncState struct {
	workspaceState
	Workspaces map[string]workspaceState `json:"workspaces,omitempty"`
	damaged    bool                      // the file was there, and was no JSON
}

// of is the state of one workspace. An older client has not said which
// workspace its state is about; then it counts for this one.
func (s syncState) of(workspace string) workspaceState {
	if len(s.Workspaces) == 0 {
		return s.workspaceState
	}
	return s.Workspaces[workspace]
}

func (s syncState) tables(workspace string) map[string]localTable { return s.of(workspace).Tables }

// readSyncState returns what earlier pulls left. With a damaged file it is
// empty, so that every copy is compared with the server's checksum.
func (a *app) readSyncState() (syncState, error) {
	var s syncState
	data, err := a.readConfigFile("sync_state.json")
	if err != nil || len(data) == 0 {
		return s, err
	}
	if err = json.Unmarshal(data, &s); err != nil {
		s = syncState{damaged: true}
	}
	return s, nil
}

// saveSyncState records the outcomes of a pull. The file is read again first:
// a pull into another workspace may have ended meanwhile.
func (a *app) saveSyncState(workspace string, known map[string]localTable, report *pullReport, at time.Time) error {
	s, err := a.readSyncState()
	if err != nil {
		return err
	}
	mine := workspaceState{Tables: maps.Clone(known), LastSync: s.of(workspace).LastSync}
	if mine.Tables == nil {
		mine.Tables = map[string]localTable{}
	}
	for _, o := range report.outcomes {
		switch o.did {
		case didUpdate, didNothing:
			mine.Tables[o.table] = o.local
		case didRemove, wasGone:
			delete(mine.Tables, o.table)
		case wouldUpdate, wouldRemove:
		}
	}
	if len(report.failed) == 0 {
		mine.LastSync = at.UTC().Format(time.RFC3339)
	}
	s.workspaceState = mine
	if s.Workspaces == nil {
		s.Workspaces = map[string]workspaceState{}
	}
	s.Workspaces[workspace] = mine
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("write sync_state.json: %w", err)
	}
	return a.writeConfigFile("sync_state.json", append(data, '\n'))
}
