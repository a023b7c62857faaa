package files

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"agnes/domain"
)

// The most that one table is made of, and the longest item.
const (
	MaxDatasetFiles = 10_000
	maxItem         = 500
	maxSegment      = 200
)

// CheckItem returns the clean form of what a table of the files connector
// reads: a file's name, a folder, or a pattern with * and ?, below DATA_DIR/files.
// It fails for names that could lead out of there, and for hidden files.
func CheckItem(item string) (string, error) {
	item = strings.TrimSuffix(item, "/")
	bad := domain.E(domain.Invalid, "file_name_invalid",
		"The table's file has a name that cannot be used. Name a file, a folder or a pattern such as sales/*.csv, without .. and hidden names.")
	if item == "" || len(item) > maxItem || !printable(item, "") || strings.Contains(item, `\`) {
		return "", bad
	}
	for segment := range strings.SplitSeq(item, "/") {
		if segment == "" || segment[0] == '.' || len(segment) > maxSegment {
			return "", bad
		}
	}
	return item, nil
}

// Pattern reports whether an item names files by * or ?.
func Pattern(item string) bool { return strings.ContainsAny(item, "*?") }

// DatasetFile is one file of a dataset.
type DatasetFile struct {
	Name    string // below DATA_DIR/files, with /
	Bytes   int64
	ModTime time.Time
}

// Dataset is a folder or a pattern: its files are one table.
type Dataset struct {
	Files   []DatasetFile // by name
	Format  Format
	Skipped int // visible files of no format that is read
}

// Bytes is the size of all files.
func (d Dataset) Bytes() int64 {
	var n int64
	for _, f := range d.Files {
		n += f.Bytes
	}
	return n
}

// Newest is when a file was last changed.
func (d Dataset) Newest() time.Time {
	var at time.Time
	for _, f := range d.Files {
		if f.ModTime.After(at) {
			at = f.ModTime
		}
	}
	return at
}

// ReadDataset lists the files of a folder, with all folders in it, or of a
// pattern, in a file system that is DATA_DIR/files. Links, hidden names and locks of
// Office are passed over. It fails with NotFound without any file, and with Invalid for
// several formats or too many files.
func ReadDataset(fsys fs.FS, item string) (Dataset, error) {
	item, err := CheckItem(item)
	if err != nil {
		return Dataset{}, err
	}
	root, matches := item, func(string) bool { return true }
	if Pattern(item) {
		root = "."
		for segment := range strings.SplitSeq(item, "/") {
			if Pattern(segment) {
				break
			}
			root = path.Join(root, segment)
		}
		matches = func(name string) bool { return matchItem(item, name) }
	}
	d, err := walkDataset(fsys, root, matches)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && len(d.Files) == 0:
		return Dataset{}, domain.E(domain.NotFound, "file_missing",
			"There is no file for %s. The rows from before stay. Place the files, then sync again.", item).Because(err)
	case err != nil:
		return Dataset{}, err
	}
	return d, d.oneFormat(item)
}

func walkDataset(fsys fs.FS, root string, matches func(string) bool) (Dataset, error) {
	var d Dataset
	err := fs.WalkDir(fsys, root, func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && e.Name()[0] == '.' && e.IsDir():
			return fs.SkipDir
		case e.IsDir(), e.Name()[0] == '.', OfficeLock(e.Name()), !e.Type().IsRegular(), !matches(name):
			return nil
		}
		if _, known := FormatOf(name); !known {
			d.Skipped++
			return nil
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed meanwhile
		}
		if err != nil {
			return err
		}
		if len(d.Files) == MaxDatasetFiles {
			return domain.E(domain.Invalid, "files_too_many", "A table is made of at most %d files. Put them together into fewer.", MaxDatasetFiles)
		}
		d.Files = append(d.Files, DatasetFile{Name: name, Bytes: info.Size(), ModTime: info.ModTime()})
		return nil
	})
	if err != nil {
		return Dataset{}, fmt.Errorf("list files of a table: %w", err)
	}
	slices.SortFunc(d.Files, func(a, b DatasetFile) int { return strings.Compare(a.Name, b.Name) })
	return d, nil
}

// OfficeLock reports whether a file is what Office puts beside a workbook that
// somebody has open: ~$orders.xlsx. It is no workbook.
func OfficeLock(name string) bool { return strings.HasPrefix(name, "~$") }

// oneFormat sets the format, which all files share.
func (d *Dataset) oneFormat(item string) error {
	for _, f := range d.Files {
		format, _ := FormatOf(f.Name) // walkDataset took known ones only
		if d.Format == "" {
			d.Format = format
		}
		if format != d.Format {
			return domain.E(domain.Invalid, "files_mixed",
				"%s has files of several formats, %s and %s. Choose one with a pattern, such as %s/*.%s.", item, d.Format, format, strings.SplitN(item, "/*", 2)[0], d.Format)
		}
	}
	return nil
}

// matchItem reports whether a file's name fits a pattern, folder by folder; a
// folder ** stands for any number of folders.
func matchItem(pattern, name string) bool {
	head, rest, more := strings.Cut(pattern, "/")
	first, below, deeper := strings.Cut(name, "/")
	if head == "**" && more {
		return matchItem(rest, name) || deeper && matchItem(pattern, below)
	}
	fits, err := path.Match(strings.NewReplacer("[", `\[`).Replace(head), first)
	if err != nil || !fits || more != deeper {
		return false
	}
	return !more || matchItem(rest, below)
}

// StemOf is what a folder or pattern is called: its last part that is no
// pattern, without an ending.
func StemOf(item string) string {
	parts := strings.Split(strings.Trim(item, "/"), "/")
	for i := len(parts) - 1; i >= 0; i-- {
		if !Pattern(parts[i]) && !strings.Contains(parts[i], "=") {
			return Stem(parts[i])
		}
	}
	return strings.NewReplacer("*", "", "?", "").Replace(Stem(path.Base(item)))
}

// HiveKeys are the columns that folders of the form key=value give a file, in
// their order.
func HiveKeys(name string) (keys, values []string) {
	for segment := range strings.SplitSeq(path.Dir(name), "/") {
		if key, value, is := strings.Cut(segment, "="); is && strings.TrimSpace(key) != "" && printable(segment, "") {
			keys, values = append(keys, key), append(values, value)
		}
	}
	return keys, values
}
