package warehouse

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"unicode/utf8"

	"agnes/domain/files"
)

const (
	probeBytes = 64 << 10

	nextSaveText = "Save it as text, for example CSV UTF-8, and upload it again."
	nextSaveUTF8 = `Save it as "CSV UTF-8" (in Excel: Save As, CSV UTF-8) and upload it again.`
	nextUpload   = "Upload the file again."
)

// kinds are files that people mistake for tables of text.
var kinds = []struct{ magic, is, next string }{
	{"PK\x03\x04", "an Excel workbook or another zip archive", "Save the sheet as CSV UTF-8 and upload that."},
	{"\xd0\xcf\x11\xe0", "an old Excel workbook", "Save the sheet as CSV UTF-8 and upload that."},
	{"\x1f\x8b", "compressed with gzip", "Unpack it and upload what is inside."},
	{"\x28\xb5\x2f\xfd", "compressed with zstd", "Unpack it and upload what is inside."},
	{"%PDF", "a PDF document", "Export the table as CSV and upload that."},
	{"SQLite format 3", "an SQLite database", "Export the table as CSV and upload that."},
	{"PAR1", "a Parquet file", "Give it the ending .parquet and upload it again."},
}

// probe looks at the beginning of a file before the engine does: the engine's
// words for a wrong file help nobody, and a broken one can end it.
func probe(path string, format files.Format) error {
	name := filepath.Base(path)
	head, size, err := readHead(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return refuse("file_missing", nextUpload, "The file %s is not there any more.", name).because(err)
	case err != nil:
		return refuse("file_unreadable", "Have the server's disk and the file's permissions checked.", "The file %s is there but cannot be read.", name).because(err)
	case len(bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\ufeff")))) == 0 && size <= probeBytes:
		return refuse("file_empty", "Check the export that made it, then upload it again.", "The file %s is empty.", name)
	case format == files.Parquet:
		return probeParquet(name, head, size)
	}
	return probeText(name, head, size)
}

func readHead(path string) (_ []byte, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("open file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, fmt.Errorf("look at file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, 0, errors.New("not a regular file")
	}
	head, err := io.ReadAll(io.LimitReader(f, probeBytes))
	if err != nil {
		return nil, 0, fmt.Errorf("read file: %w", err)
	}
	return head, info.Size(), nil
}

func probeParquet(name string, head []byte, size int64) error {
	if size < 12 || !bytes.HasPrefix(head, []byte("PAR1")) {
		return refuse("file_not_parquet", "Check how it was made, and upload it again.", "%s is not a Parquet file, although its name ends like one.", name)
	}
	return nil
}

func probeText(name string, head []byte, size int64) error {
	for _, k := range kinds {
		if bytes.HasPrefix(head, []byte(k.magic)) {
			return refuse("file_not_text", k.next, "%s is %s, not a table of text.", name, k.is)
		}
	}
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return refuse("file_not_utf8", nextSaveUTF8, "%s is text in UTF-16. Agnes reads UTF-8.", name)
	}
	if bytes.IndexByte(head, 0) >= 0 {
		return refuse("file_not_text", nextSaveText, "%s is not a table of text: it holds binary data.", name)
	}
	if int64(len(head)) < size { // the cut may go through a character
		head = head[:max(0, bytes.LastIndexByte(head, '\n'))]
	}
	if at := firstInvalid(head); at >= 0 {
		return notUTF8(name, 1+bytes.Count(head[:at], []byte("\n")))
	}
	return nil
}

func notUTF8(name string, line int) *fault {
	return refuse("file_not_utf8", nextSaveUTF8, "Line %d of %s has characters that are not UTF-8, so some letters would come out wrong.", line, name).atLine(line)
}

// firstInvalid returns where text stops being UTF-8, or -1.
func firstInvalid(text []byte) int {
	if utf8.Valid(text) {
		return -1
	}
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// checkUTF8 reads a whole file after the engine gave up on it, to tell bad
// characters from other faults.
func checkUTF8(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	in := bufio.NewReaderSize(f, 1<<20)
	line := 1
	for {
		piece, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) { // a longer line: leave a cut character for the next piece
			return nil
		}
		if !utf8.Valid(piece) {
			return notUTF8(filepath.Base(path), line)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read file: %w", err)
		}
		line++
	}
}
