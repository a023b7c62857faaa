package custom

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"agnes/domain"
	"agnes/domain/profile"
)

// profilesFile is where a predecessor left profiles (contract 6.1), and
// maxProfiles how much of it is read at most.
const (
	profilesFile = "src_data/metadata/profiles.json"
	maxProfiles  = 64 << 20
)

// Profile returns what a predecessor's file says of a table, and when that was
// written. It fails with NotFound when there is none, also of a file that cannot
// be understood: the next profile is made here anyway.
func (f Folder) Profile(_ context.Context, table string) (profile.Profile, time.Time, error) {
	none := domain.E(domain.NotFound, "profile_not_found", "There is no profile of this table.")
	file, err := os.Open(filepath.Join(f.Root, filepath.FromSlash(profilesFile)))
	if errors.Is(err, fs.ErrNotExist) {
		return profile.Profile{}, time.Time{}, none.Because(err)
	}
	if err != nil {
		return profile.Profile{}, time.Time{}, fmt.Errorf("open older profiles: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return profile.Profile{}, time.Time{}, fmt.Errorf("look at older profiles: %w", err)
	}
	all := map[string]json.RawMessage{}
	if err := json.NewDecoder(io.LimitReader(file, maxProfiles)).Decode(&all); err != nil {
		return profile.Profile{}, time.Time{}, none.Because(err)
	}
	if inner, there := all["tables"]; there { // beside when it was written, or the tables alone
		all = map[string]json.RawMessage{}
		if err := json.Unmarshal(inner, &all); err != nil {
			return profile.Profile{}, time.Time{}, none.Because(err)
		}
	}
	for name, text := range all {
		var p profile.Profile
		if strings.EqualFold(name, table) && json.Unmarshal(text, &p) == nil && len(p.Columns) > 0 {
			return p, info.ModTime(), nil
		}
	}
	return profile.Profile{}, time.Time{}, none
}
