package warehouse

import (
	"crypto/md5" //nolint:gosec // the contract's manifest carries MD5; SHA-256 is the one that proves
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"
)

type fileSums struct {
	bytes       int64
	sha256, md5 string
}

// hashFile takes both sums of a file, side by side.
func hashFile(path string) (fileSums, error) {
	weak := begin(func() (fileSums, error) { return hashMD5(path) })
	sums, err := hashSHA256(path)
	its, hashing := weak()
	sums.md5 = its.md5
	return sums, errors.Join(err, hashing)
}

// hashSHA256 takes the sum that proves what a file holds.
func hashSHA256(path string) (sums fileSums, err error) {
	sums.bytes, sums.sha256, err = hashWith(sha256.New(), path)
	return sums, err
}

// hashMD5 takes the sum that older clients compare; it takes three times as long.
func hashMD5(path string) (sums fileSums, err error) {
	sums.bytes, sums.md5, err = hashWith(md5.New(), path) //nolint:gosec // see the import
	return sums, err
}

func hashWith(h hash.Hash, path string) (n int64, sum string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, "", fmt.Errorf("open file to hash: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	// A file would choose its own way, in small pieces.
	if n, err = io.CopyBuffer(h, struct{ io.Reader }{f}, make([]byte, hashChunk)); err != nil {
		return 0, "", fmt.Errorf("hash file: %w", err)
	}
	return n, hex.EncodeToString(h.Sum(nil)), nil
}

// begin has f done while the caller goes on; what it returns waits for the end.
func begin[T any](f func() (T, error)) (wait func() (T, error)) {
	var got T
	var err error
	var working sync.WaitGroup
	working.Go(func() { got, err = f() })
	return func() (T, error) {
		working.Wait()
		return got, err
	}
}
