package warehouse

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"

	"agnes/domain/files"
)

// maxUnpacked bounds what one packed file may become, whatever room there is.
const maxUnpacked = 256 << 30

// gzipMagic begins every gzip file.
const gzipMagic = "\x1f\x8b"

// errTooMuch ends unpacking.
var errTooMuch = errors.New("unpacks to more than there is room for")

// textFile is a file of text, unpacked as it is read.
type textFile struct {
	io.Reader
	close func() error
}

// Close closes the file.
func (t textFile) Close() error { return t.close() }

// openText opens a file of text, packed or not.
func openText(path string, packed files.Compression) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open file: %w", err)
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(errors.New("not a regular file"), err, f.Close())
	}
	switch packed {
	case files.Gzip:
		in := bufio.NewReaderSize(f, 1<<20)
		if magic, err := in.Peek(2); err == nil && string(magic) != gzipMagic { // a short one would pass for one that is cut off
			return nil, errors.Join(gzip.ErrHeader, f.Close())
		}
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open gzip: %w", err), f.Close())
		}
		return textFile{z, func() error { return errors.Join(z.Close(), f.Close()) }}, nil
	case files.Zstd:
		z, err := zstd.NewReader(f, zstd.WithDecoderMaxMemory(512<<20), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open zstd: %w", err), f.Close())
		}
		return textFile{z, func() error { z.Close(); return f.Close() }}, nil
	case files.Plain:
	}
	return f, nil
}

// decoded reads text of another encoding as UTF-8.
func decoded(r io.Reader, e files.Encoding) (io.Reader, error) {
	switch e {
	case "", files.UTF8:
		return r, nil
	case files.UTF16:
		return &utf16Text{in: r}, nil
	case files.Windows:
		return &windowsText{in: r}, nil
	}
	return nil, badJob(fmt.Errorf("encoding %q is not known", e))
}

// unpackLimit is how much may be written plain: half of what is free, so that
// the version still fits.
func (s *Store) unpackLimit() (int64, error) {
	if err := os.MkdirAll(s.scratch, 0o750); err != nil {
		return 0, fmt.Errorf("make scratch folder: %w", err)
	}
	var disk unix.Statfs_t
	if err := unix.Statfs(s.scratch, &disk); err != nil {
		return 0, fmt.Errorf("free space of scratch folder: %w", err)
	}
	return min(int64(disk.Bavail)*disk.Bsize/2, maxUnpacked), nil //nolint:gosec // sizes of real disks fit
}

// limitReader fails past a limit, and when the work is stopped.
type limitReader struct {
	ctx  context.Context //nolint:containedctx // lives for one copy
	r    io.Reader
	left int64
}

// Read implements io.Reader.
func (l *limitReader) Read(p []byte) (int, error) {
	if err := l.ctx.Err(); err != nil {
		return 0, err //nolint:wrapcheck // the copy says what was stopped
	}
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, errTooMuch
	}
	return n, err //nolint:wrapcheck // io.EOF must stay itself
}

// copyLines copies whole lines up to about most bytes and reports whether more
// would have come.
func copyLines(out io.Writer, in io.Reader, most int64) (partial bool, err error) {
	lines := bufio.NewReaderSize(in, 1<<20)
	if _, err := io.CopyN(out, lines, most); errors.Is(err, io.EOF) {
		return false, nil
	} else if err != nil {
		return false, err //nolint:wrapcheck // the caller says what broke
	}
	for {
		piece, err := lines.ReadSlice('\n')
		if _, werr := out.Write(piece); werr != nil {
			return false, werr //nolint:wrapcheck // the caller says what broke
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return false, err //nolint:wrapcheck // the caller says what broke
		}
		return true, nil
	}
}
