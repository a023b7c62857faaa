package warehouse

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"unicode/utf8"

	"agnes/domain/files"
)

const (
	probeBytes = 64 << 10

	nextSaveText = "Save it as text, for example CSV UTF-8, and upload it again."
	nextSaveUTF8 = `Choose its encoding, most likely windows-1252, or save it as "CSV UTF-8" and upload it again.`
	nextUpload   = "Upload the file again."
)

// kinds are files that people mistake for tables of text.
var kinds = []struct{ magic, is, next string }{
	{"PK\x03\x04", "an Excel workbook or another zip archive", "Give a workbook the ending .xlsx and upload it again, or save the sheet as CSV UTF-8."},
	{oleMagic, "an old Excel workbook", "Save it as .xlsx or CSV UTF-8 and upload that."},
	{"\x1f\x8b", "compressed with gzip", "Give it an ending such as .csv.gz and upload it again."},
	{"\x28\xb5\x2f\xfd", "compressed with zstd", "Give it an ending such as .csv.zst and upload it again."},
	{"%PDF", "a PDF document", "Export the table as CSV and upload that."},
	{"SQLite format 3", "an SQLite database", "Export the table as CSV and upload that."},
	{"PAR1", "a Parquet file", "Give it the ending .parquet and upload it again."},
}

// oleMagic begins old Excel workbooks, and protected ones.
const oleMagic = "\xd0\xcf\x11\xe0"

// probe looks at the beginning of a file before the engine does: the engine's
// words for a wrong file help nobody, and a broken one can end it.
func probe(r *reader) error {
	packed := r.packed
	if !r.format.Text() {
		packed = files.Plain
	}
	if r.before.bytes == 0 {
		return emptyFile(r.name())
	}
	head, whole, err := readHead(r.origin, packed)
	switch {
	case err != nil && packed != files.Plain:
		return r.packFault(err)
	case err != nil:
		return r.absent(err)
	case r.format == files.XLSX:
		return probeWorkbook(r.name(), head)
	}
	if r.options.Encoding != "" && r.format.Text() {
		return r.probeDecoded(head, whole)
	}
	text, marked := bytes.CutPrefix(head, []byte(byteOrderMark))
	// The engine takes a quote behind the mark for no quote, and JSON behind it for none.
	r.marked = marked && (!r.delimited() || bytes.IndexAny(text, `"'`) == 0)
	switch {
	case len(bytes.TrimSpace(text)) == 0 && whole:
		return emptyFile(r.name())
	case r.format == files.Parquet:
		return probeParquet(r.name(), head)
	}
	return probeText(r.name(), head, whole)
}

func emptyFile(name string) *fault {
	return refuse("file_empty", "Check the export that made it, then upload it again.", "The file %s is empty.", name)
}

// probeDecoded looks at text that is not in UTF-8.
func (r *reader) probeDecoded(head []byte, whole bool) error {
	if bytes.HasPrefix(head, []byte(byteOrderMark)) {
		return refuse("file_encoding_wrong", "Leave the encoding open.", "%s begins with the mark of UTF-8, so it is not text in %s.", r.name(), r.options.Encoding)
	}
	text, err := decoded(bytes.NewReader(head), r.options.Encoding)
	if err != nil {
		return err
	}
	plain, err := io.ReadAll(text)
	marked := bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff"))
	if errors.Is(err, errCutText) || errors.Is(err, errNotText) && marked {
		err = nil // whoever reads all of it knows the line
	}
	latin := r.options.Encoding == files.UTF16 && bytes.IndexByte(head, 0) < 0 && utf8.Valid(head) // every other byte of separators and line ends is 0
	switch {
	case err == nil && len(bytes.TrimSpace(bytes.TrimPrefix(plain, []byte(byteOrderMark)))) == 0 && whole:
		return emptyFile(r.name())
	case err != nil && !errors.Is(err, errNotText):
		return fmt.Errorf("decode head: %w", err)
	case err != nil, latin, bytes.IndexByte(plain, 0) >= 0:
		return refuse("file_encoding_wrong", "Choose another encoding, or leave it open.", "%s is not text in %s.", r.name(), r.options.Encoding)
	}
	return nil
}

// readHead returns a file's beginning, unpacked, and whether that is all of it.
func readHead(path string, packed files.Compression) (_ []byte, whole bool, err error) {
	f, err := openText(path, packed)
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	head, err := io.ReadAll(io.LimitReader(f, probeBytes+1))
	if err != nil {
		return nil, false, fmt.Errorf("read file: %w", err)
	}
	if len(head) > probeBytes {
		return head[:probeBytes], false, nil
	}
	return head, true, nil
}

func probeParquet(name string, head []byte) error {
	if len(head) < 12 || !bytes.HasPrefix(head, []byte("PAR1")) {
		return refuse("file_not_parquet", "Check how it was made, and upload it again.", "%s is not a Parquet file, although its name ends like one.", name)
	}
	return nil
}

func probeText(name string, head []byte, whole bool) error {
	for _, k := range kinds {
		if bytes.HasPrefix(head, []byte(k.magic)) {
			return refuse("file_not_text", k.next, "%s is %s, not a table of text.", name, k.is)
		}
	}
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return refuse("file_not_utf8", "Choose the encoding utf-16, or save it as \"CSV UTF-8\" and upload it again.", "%s is text in UTF-16, and is read as UTF-8.", name)
	}
	if bytes.IndexByte(head, 0) >= 0 {
		return refuse("file_not_text", nextSaveText, "%s is not a table of text: it holds binary data.", name)
	}
	if !whole { // the cut may go through a character
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
