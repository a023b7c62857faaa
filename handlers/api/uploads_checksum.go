package api

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // the protocol's own; it guards against accidents, not against people
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"io"
	"net/http"
	"strings"

	"agnes/domain"
)

// The extension checksum of tus: the sender names the sum of the bytes of one
// request, and what has another one is thrown away.
const (
	checksumHeader     = "Upload-Checksum"
	checksumAlgorithms = "sha1,sha256"
	// statusChecksum is what tus answers bytes with another sum.
	statusChecksum = 460
)

// checksum is a sum as the sender named it.
type checksum struct {
	algorithm string
	sum       []byte
}

// checksumOf reads the header. It fails when it is none of the protocol's.
func checksumOf(r *http.Request) (*checksum, error) {
	sent := r.Header.Get(checksumHeader)
	if sent == "" {
		return nil, nil //nolint:nilnil // bytes without a sum are taken as they are
	}
	algorithm, text, _ := strings.Cut(sent, " ")
	c := checksum{algorithm: strings.ToLower(algorithm)}
	sum, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if h := c.hash(); h == nil || err != nil || len(sum) != h.Size() {
		return nil, domain.E(domain.Invalid, "checksum_invalid",
			"The header Upload-Checksum names an algorithm, sha1 or sha256, and the sum in base64. Nothing of this request was taken.").Because(err)
	}
	c.sum = sum
	return &c, nil
}

func (c checksum) hash() hash.Hash {
	switch c.algorithm {
	case "sha1":
		return sha1.New() //nolint:gosec // as above
	case "sha256":
		return sha256.New()
	}
	return nil
}

type checksumKey struct{}

func withChecksum(ctx context.Context, c *checksum) context.Context {
	return context.WithValue(ctx, checksumKey{}, c)
}

// checkedBody is the bytes of one request with the sum that they are said to have.
type checkedBody struct {
	io.Reader
	sum  hash.Hash
	want []byte
}

// summed makes r one that knows its sum, where the sender named one.
func summed(ctx context.Context, r io.Reader) io.Reader {
	c, ok := ctx.Value(checksumKey{}).(*checksum)
	if !ok || c == nil {
		return r
	}
	h := c.hash()
	return &checkedBody{Reader: io.TeeReader(r, h), sum: h, want: c.sum}
}

// errChecksum says that bytes were changed on their way.
var errChecksum = domain.E(domain.Conflict, "checksum_mismatch",
	"The bytes that came have another sum than Upload-Checksum names: they were changed on the way, or the connection broke. None of them was taken; send them again.")

// Check compares what was read.
func (b *checkedBody) Check() error {
	if !bytes.Equal(b.sum.Sum(nil), b.want) {
		return errChecksum
	}
	return nil
}
