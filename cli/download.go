package cli

import (
	"context"
	"crypto/md5" //nolint:gosec // the manifest's checksum finds damage, it proves no origin
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"agnes/domain"
)

const (
	// stall is how long a download may stand still.
	stall = 60 * time.Second
	// maxFile bounds a table whose size the manifest does not say.
	maxFile = int64(1) << 40
	// sizeSlack lets a file be somewhat longer than the manifest says: the
	// checksum decides, the size only bounds.
	sizeSlack = int64(1) << 20
)

// errMismatch is under the error of a file that is not the version promised.
var errMismatch = errors.New("not the version promised")

// mismatch is the sentence over errMismatch.
type mismatch struct{ text string }

func (e *mismatch) Error() string { return e.text }
func (e *mismatch) Unwrap() error { return errMismatch }

// transient is a failure of a download that another try may not have.
type transient struct{ err error }

func (e *transient) Error() string { return e.err.Error() }
func (e *transient) Unwrap() error { return e.err }

// download is one file on its way here.
type download struct {
	client *client
	path   string // of the URL
	part   *os.File
	sum    hash.Hash
	have   int64  // bytes of part that are written and summed
	etag   string // of what part holds
	limit  int64
	hashed bool // a checksum will tell, so that bytes may be joined without an ETag
}

// fetchTable downloads a table to path. The file at path is replaced when the
// new one is whole and right, and untouched otherwise.
func (c *client) fetchTable(ctx context.Context, name, path string, want remoteTable) (local localTable, err error) {
	part, err := newPart(path)
	if err != nil {
		return local, folderError(err)
	}
	defer func() { err = errors.Join(err, discard(part)) }()
	d := &download{
		client: c, path: "/api/data/" + url.PathEscape(name) + "/download", part: part,
		sum: md5.New(), limit: maxFile, hashed: isMD5(want.hash()), //nolint:gosec // see the import
	}
	if want.SizeBytes != nil && *want.SizeBytes > 0 {
		d.limit = *want.SizeBytes + sizeSlack
	}
	if err := d.run(ctx); err != nil {
		return local, err
	}
	if err := d.verify(want); err != nil {
		return local, err
	}
	if err := publish(part, path); err != nil {
		return local, domain.E(domain.Unavailable, "not_replaced", "The new copy cannot be put in place: %s. Close programs that use the old one, and pull again.", reason(err))
	}
	info, err := os.Stat(path)
	if err != nil {
		return local, fmt.Errorf("look at the new copy: %w", err)
	}
	return localTable{Hash: want.hash(), Rows: want.rows(), SizeBytes: info.Size(), Modified: info.ModTime().UnixNano()}, nil
}

// run downloads, and goes on where it broke off.
func (d *download) run(ctx context.Context) error {
	var err error
	for try := range tries {
		if try > 0 {
			if werr := d.client.wait(ctx, retryDelays[try-1]); werr != nil {
				return werr
			}
		}
		err = d.attempt(ctx)
		var again *transient
		if !errors.As(err, &again) {
			return err
		}
	}
	return err
}

func (d *download) attempt(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(stall, func() {
		cancel(domain.E(domain.Unavailable, "stalled", "The download stood still for %s.", stall))
	})
	defer watch.Stop()
	req, err := d.request(ctx)
	if err != nil {
		return err
	}
	res, err := d.client.send(req)
	if err != nil {
		return retryUnlessStopped(err)
	}
	defer res.Body.Close()
	if err := d.begin(res); err != nil {
		return err
	}
	return d.copy(ctx, res, watch)
}

func (d *download) request(ctx context.Context) (*http.Request, error) {
	req, err := d.client.request(ctx, http.MethodGet, d.path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/octet-stream, application/json;q=0.5")
	req.Header.Set("Accept-Encoding", "identity") // byte ranges count bytes of the file
	if d.have > 0 && (d.etag != "" || d.hashed) {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", d.have))
		if d.etag != "" {
			req.Header.Set("If-Range", d.etag)
		}
	}
	return req, nil
}

// begin reads the answer's head: what follows is the file, the rest of it, or
// a reason why there is none.
func (d *download) begin(res *http.Response) error {
	switch {
	case res.StatusCode == http.StatusPartialContent:
		if strings.HasPrefix(res.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", d.have)) && d.have > 0 {
			return nil
		}
		return errors.Join(&transient{domain.E(domain.Unavailable, "wrong_range", "The server sent another part of the file than was asked for.")}, d.restart())
	case res.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		return errors.Join(&transient{d.client.refusal(res)}, d.restart())
	case res.StatusCode >= http.StatusInternalServerError:
		return &transient{d.client.refusal(res)}
	case res.StatusCode != http.StatusOK:
		return d.client.refusal(res)
	}
	d.etag = ""
	if tag := res.Header.Get("ETag"); strings.HasPrefix(tag, `"`) {
		d.etag = tag
	}
	return d.restart()
}

// restart empties the part.
func (d *download) restart() error {
	d.sum.Reset()
	d.have = 0
	if err := d.part.Truncate(0); err != nil {
		return writeError(err)
	}
	if _, err := d.part.Seek(0, io.SeekStart); err != nil {
		return writeError(err)
	}
	return nil
}

// copy reads the body to its end. Every read that brings something restarts
// the watch.
func (d *download) copy(ctx context.Context, res *http.Response, watch *time.Timer) error {
	buffer := make([]byte, 256<<10)
	for {
		n, err := res.Body.Read(buffer)
		if n > 0 {
			watch.Reset(stall)
			if d.have+int64(n) > d.limit {
				return domain.E(domain.TooLarge, "file_too_large", "The server sends more than the %s that the manifest speaks of.", size(d.limit))
			}
			if _, werr := d.part.Write(buffer[:n]); werr != nil {
				return writeError(werr)
			}
			d.sum.Write(buffer[:n]) // never fails
			d.have += int64(n)
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return retryUnlessStopped(d.client.brokenOff(ctx, err))
		}
	}
}

func (c *client) brokenOff(ctx context.Context, err error) error {
	var known *domain.Error
	if errors.As(context.Cause(ctx), &known) {
		return known
	}
	if ctx.Err() != nil {
		return domain.E(domain.Cancelled, "stopped", "Stopped before the file was whole.")
	}
	return domain.E(domain.Unavailable, "broke_off", "The download broke off (%s).", clean(err.Error()))
}

// retryUnlessStopped marks a transport failure for another try, except when
// the person stopped it.
func retryUnlessStopped(err error) error {
	switch domain.CodeOf(err) {
	case "stopped", "redirected", "redirected_elsewhere":
		return err
	}
	return &transient{err}
}

func writeError(err error) error {
	return domain.E(domain.Unavailable, "not_written", "The copy cannot be written: %s.", reason(err))
}

// verify checks the part against the manifest's MD5, or, where that has none,
// that a Parquet file begins and ends as one.
func (d *download) verify(want remoteTable) error {
	if d.hashed {
		if hex.EncodeToString(d.sum.Sum(nil)) == want.hash() {
			return nil
		}
		return &mismatch{"What arrived does not match the server's checksum. Pull again; if it stays so, the server's file is damaged."}
	}
	const magic = "PAR1"
	var ends [2 * len(magic)]byte
	if d.have >= int64(len(ends)) {
		if _, err := d.part.ReadAt(ends[:len(magic)], 0); err != nil {
			return writeError(err)
		}
		if _, err := d.part.ReadAt(ends[len(magic):], d.have-int64(len(magic))); err != nil {
			return writeError(err)
		}
	}
	if string(ends[:]) != magic+magic {
		return &mismatch{"What arrived is not a whole Parquet file. Pull again; if it stays so, the server's file is damaged."}
	}
	return nil
}
