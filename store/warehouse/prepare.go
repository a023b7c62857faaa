package warehouse

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"agnes/domain/files"
)

// stamp is what changes when a file is written.
type stamp struct {
	bytes int64
	at    time.Time
	inode uint64 // another file that was put in its place
}

func stampOf(file string) (stamp, error) {
	info, err := os.Stat(file)
	if err != nil {
		return stamp{}, fmt.Errorf("look at file: %w", err)
	}
	s := stamp{bytes: info.Size(), at: info.ModTime()}
	if its, known := info.Sys().(*syscall.Stat_t); known {
		s.inode = its.Ino
	}
	return s, nil
}

// prepare looks at a file and makes of it what the engine reads well: text that
// is packed or not in UTF-8 is written plain to the scratch folder, and so is
// the chosen sheet of a workbook. most bounds how much of a packed text is
// taken, for a preview; 0 is all.
func (s *Store) prepare(ctx context.Context, key string, format files.Format, o files.Options, most int64) (_ *reader, err error) {
	origin, err := s.path(key)
	if err != nil {
		return nil, err
	}
	r := &reader{path: origin, origin: origin, format: format, options: o, packed: files.CompressionOf(origin), most: most}
	if r.before, err = stampOf(origin); err != nil {
		return nil, r.absent(err)
	}
	if err := probe(r); err != nil {
		return nil, r.orChanged(err)
	}
	switch {
	case format == files.XLSX:
		err = s.prepareSheet(ctx, r, most > 0)
	case format.Text() && (r.packed != files.Plain || o.Encoding != "" || r.marked):
		err = s.unpack(ctx, r, most)
	}
	if err == nil {
		err = r.readSeparator()
	}
	if err != nil {
		return nil, r.orChanged(err)
	}
	return r, nil
}

// absent puts into words why a file cannot be looked at.
func (r *reader) absent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return refuse("file_missing", nextUpload, "The file %s is not there any more.", r.name()).because(err)
	}
	return refuse("file_unreadable", "Have the server's disk and the file's permissions checked.", "The file %s is there but cannot be read.", r.name()).because(err)
}

// name is the file as people know it.
func (r *reader) name() string { return filepath.Base(r.origin) }

// unchanged fails when the file was written while it was read: its rows may be
// of two states, and a file that shrank lost some.
func (r *reader) unchanged() error {
	after, err := stampOf(r.origin)
	switch {
	case err != nil:
		return refuse("file_changed", nextWhole, "%s was taken away while it was read, so nothing was taken from it.", r.name()).because(err)
	case after.bytes < r.before.bytes:
		return refuse("file_changed", nextWhole, "%s became shorter while it was read, so rows are missing. Nothing was taken from it.", r.name())
	case after != r.before:
		return refuse("file_changed", nextWhole, "%s was written while it was read, so its rows may be of two states. Nothing was taken from it.", r.name())
	}
	return nil
}

const nextWhole = "Write the file under another name and rename it when it is whole. Its next change is taken up by itself."

// orChanged is err, or that the file changed meanwhile: then err says nothing.
func (r *reader) orChanged(err error) error {
	if general := generalFault(err); general != nil {
		return general
	}
	if changed := r.unchanged(); changed != nil {
		return changed
	}
	return err
}

// plainFile opens a new file of the scratch folder under the original's name,
// so that messages name it.
func (s *Store) plainFile(r *reader) (*os.File, error) {
	if err := os.MkdirAll(s.scratch, 0o750); err != nil {
		return nil, fmt.Errorf("make scratch folder: %w", err)
	}
	dir, err := os.MkdirTemp(s.scratch, "plain-")
	if err != nil {
		return nil, fmt.Errorf("make scratch folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, r.name()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make plain file: %w", err)
	}
	r.path = f.Name()
	return f, nil
}

// unpack writes a text plain, in UTF-8. The engine would take a packed file
// that is cut off, or whose sum is wrong, without a word.
func (s *Store) unpack(ctx context.Context, r *reader, most int64) (err error) {
	in, err := openText(r.origin, r.packed)
	if err != nil {
		return r.packFault(err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	room, err := s.unpackLimit()
	if err != nil {
		return err
	}
	out, err := s.plainFile(r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	limited := &limitReader{ctx: ctx, r: in, left: room}
	text, err := decoded(limited, r.options.Encoding)
	if err != nil {
		return err
	}
	text = unmarked(text)
	if most > 0 && r.format != files.JSON {
		r.partial, err = copyLines(out, text, most)
	} else {
		_, err = io.Copy(out, text)
	}
	switch {
	case errors.Is(err, errNotText), errors.Is(err, errCutText):
		return r.badText(out, err)
	case errors.Is(err, errTooMuch):
		return refuse("file_unpacks_too_large", "Have space made on the server's disk, or send the file in parts.",
			"%s unpacks to more than %d MB, which is more than the server has room for.", r.name(), room>>20).because(err)
	case err != nil:
		return r.packFault(err)
	}
	return nil
}

// badText says where text stops being in its encoding: behind the lines that
// were written plain.
func (r *reader) badText(plain *os.File, err error) error {
	line := 1
	if text, rerr := os.Open(plain.Name()); rerr == nil { // at worst the line is wrong
		defer text.Close()
		for lines := bufio.NewReader(text); ; line++ {
			if _, rerr := lines.ReadSlice('\n'); rerr != nil && !errors.Is(rerr, bufio.ErrBufferFull) {
				break
			} else if rerr != nil {
				line--
			}
		}
	}
	if errors.Is(err, errCutText) {
		return refuse("file_cut_off", "Send it again, and wait until it has arrived whole.", "%s breaks off in line %d, in the middle of a character of %s.", r.name(), line, r.options.Encoding).atLine(line).because(err)
	}
	return refuse("file_encoding_wrong", "Choose another encoding, or have the file written again.",
		"Line %d of %s has characters that are not %s, so some letters would come out wrong.", line, r.name(), r.options.Encoding).atLine(line).because(err)
}

// packFault names what is wrong with a packed file.
func (r *reader) packFault(err error) error {
	if general := generalFault(err); general != nil {
		return general
	}
	kind := map[files.Compression]string{files.Gzip: "gzip", files.Zstd: "zstd"}[r.packed]
	if kind == "" {
		return r.absent(err)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return refuse("file_cut_off", "Send it again, and wait until it has arrived whole.", "%s breaks off in the middle: the %s file is not complete.", r.name(), kind).because(err)
	}
	return refuse("file_pack_damaged", "Pack it again and send it again.", "%s is damaged, or not a %s file although its name ends like one.", r.name(), kind).because(err)
}
