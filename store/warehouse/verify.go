package warehouse

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"agnes/domain/registry"
	"agnes/domain/work"
)

// Verify compares files of versions with what was published: there, as long,
// with a Parquet footer, and of the same SHA-256. What differs is returned by
// key; an error means that it could not be told.
func (s *Store) Verify(ctx context.Context, files []registry.File) ([]work.Problem, error) {
	return s.verifyPaced(ctx, files, 0)
}

// verifyPaced is Verify that reads at most so many bytes a second; 0: no limit.
func (s *Store) verifyPaced(ctx context.Context, files []registry.File, bytesPerSecond int64) ([]work.Problem, error) {
	p := newPacer(bytesPerSecond)
	defer p.stop()
	var problems []work.Problem
	for _, f := range files {
		code, err := s.verifyFile(ctx, f, p)
		if err != nil {
			return nil, err
		}
		if code != "" {
			problems = append(problems, work.Problem{Key: f.Key, Code: code, Message: fileSentence(code)})
		}
	}
	return problems, nil
}

func fileSentence(code string) string {
	switch code {
	case work.FileMissing:
		return "A file of this version is gone."
	case work.FileUnreadable:
		return "A file of this version cannot be read."
	}
	return "A file of this version is not what was published."
}

func (s *Store) verifyFile(ctx context.Context, f registry.File, p *pacer) (code string, err error) {
	if code := s.glance(f); code != "" {
		return code, nil
	}
	if f.SHA256 == "" {
		return "", nil
	}
	file, err := s.path(f.Key)
	if err != nil {
		return work.FileUnreadable, nil //nolint:nilerr // a key that leads out names nothing of ours
	}
	sum, err := hashPaced(ctx, file, p)
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("verify version: %w", ctx.Err())
	case err != nil:
		s.log.Warn("version cannot be read", "key", f.Key, "err", err)
		return work.FileUnreadable, nil
	case sum != f.SHA256:
		return work.FileChanged, nil
	}
	return "", nil
}

// parquetMagic begins and ends every Parquet file.
const parquetMagic = "PAR1"

// glance is the check that costs next to nothing: the file is there, as long
// as it was published, and begins and ends as Parquet does. It returns what is
// wrong, "" for nothing. With Bytes 0 the length is not known.
func (s *Store) glance(f registry.File) (code string) {
	file, err := s.path(f.Key)
	if err != nil {
		return work.FileUnreadable
	}
	in, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return work.FileMissing
	}
	if err != nil {
		s.log.Warn("version cannot be read", "key", f.Key, "err", err)
		return work.FileUnreadable
	}
	code, err = glanceAt(in, f.Bytes)
	if err = errors.Join(err, in.Close()); err != nil {
		s.log.Warn("version cannot be read", "key", f.Key, "err", err)
		return work.FileUnreadable
	}
	return code
}

func glanceAt(in *os.File, size int64) (code string, err error) {
	info, err := in.Stat()
	if err != nil {
		return "", err //nolint:wrapcheck // the caller logs it with the key
	}
	if !info.Mode().IsRegular() {
		return work.FileUnreadable, nil
	}
	if size > 0 && info.Size() != size || info.Size() < 2*int64(len(parquetMagic)) {
		return work.FileChanged, nil
	}
	end := make([]byte, len(parquetMagic))
	for _, at := range []int64{0, info.Size() - int64(len(end))} {
		if _, err := in.ReadAt(end, at); err != nil {
			return "", err //nolint:wrapcheck // the caller logs it with the key
		}
		if !bytes.Equal(end, []byte(parquetMagic)) {
			return work.FileChanged, nil
		}
	}
	return "", nil
}

// hashChunk is what is read at a time.
const hashChunk = 1 << 20

// hashPaced hashes what the disk holds, not what memory does, and leaves the
// memory to those who query.
func hashPaced(ctx context.Context, file string, p *pacer) (sum string, err error) {
	in, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("open version to verify: %w", err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	forget := func() {
		if p.ticks != nil { // advice only: a file system that takes none is read all the same
			_ = unix.Fadvise(int(in.Fd()), 0, 0, unix.FADV_DONTNEED)
		}
	}
	forget()
	defer forget()
	h, chunk := sha256.New(), make([]byte, hashChunk)
	for {
		if err := p.wait(ctx); err != nil {
			return "", err
		}
		n, err := io.ReadFull(in, chunk)
		h.Write(chunk[:n])
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return hex.EncodeToString(h.Sum(nil)), nil
		}
		if err != nil {
			return "", fmt.Errorf("read version to verify: %w", err)
		}
	}
}

// pacer lets chunks through one at a time.
type pacer struct{ ticks *time.Ticker }

func newPacer(bytesPerSecond int64) *pacer {
	if bytesPerSecond <= 0 {
		return &pacer{}
	}
	every := time.Duration(float64(time.Second) * hashChunk / float64(bytesPerSecond))
	return &pacer{ticks: time.NewTicker(max(every, time.Microsecond))}
}

func (p *pacer) wait(ctx context.Context) error {
	if p.ticks == nil {
		return ctx.Err() //nolint:wrapcheck // the caller says what it did
	}
	select {
	case <-p.ticks.C:
		return nil
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // the caller says what it did
	}
}

func (p *pacer) stop() {
	if p.ticks != nil {
		p.ticks.Stop()
	}
}
