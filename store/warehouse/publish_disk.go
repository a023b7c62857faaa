package warehouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// sameOnDisk reads a file that was made durable back from the disk and compares
// it with the sum of what was written. A Parquet file carries no sums of its
// own: one flipped bit can be other data without any error.
func sameOnDisk(ctx context.Context, file, sum string) error {
	found, err := hashOnDisk(ctx, file)
	if err != nil {
		return err
	}
	if found != sum {
		return refuse("version_changed", "Have the server's disk and memory checked before you try again.",
			"The new rows are not on the disk as they were written, so they were not published. The rows from before stay.").
			because(fmt.Errorf("sha256 %s, want %s", found, sum))
	}
	return nil
}

// hashOnDisk hashes a file without what memory still holds of it.
func hashOnDisk(ctx context.Context, file string) (sum string, err error) {
	in, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("open file to compare: %w", err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	// Advice: a file system that keeps everything in memory has nothing to drop.
	_ = unix.Fadvise(int(in.Fd()), 0, 0, unix.FADV_DONTNEED)
	h := sha256.New()
	for {
		if err := ctx.Err(); err != nil {
			return "", fmt.Errorf("read file to compare: %w", err)
		}
		_, err := io.CopyN(h, in, hashChunk)
		if errors.Is(err, io.EOF) {
			return hex.EncodeToString(h.Sum(nil)), nil
		}
		if err != nil {
			return "", fmt.Errorf("read file to compare: %w", err)
		}
	}
}
