package work

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"agnes/domain/registry"
)

// FrameType tells what a frame between server and query child carries.
type FrameType byte

// The frames. The server sends Configure once, then Query and Interrupt; the
// child answers Ready once, then per query Schema, any number of Batch, and
// one End or Error. A frame is type(1) length(4, big endian) payload. The Batch
// frames of an answer make one Arrow IPC stream without its end mark: the first
// begins with the schema, and each holds exactly one record batch after the
// dictionaries that are new with it.
const (
	FrameConfigure FrameType = 'C' // QueryConfig
	FrameReady     FrameType = 'R' // no payload
	FrameQuery     FrameType = 'Q' // QueryJob
	FrameInterrupt FrameType = 'X' // no payload
	FrameSchema    FrameType = 'S' // QuerySchema
	FrameBatch     FrameType = 'B' // the next part of the answer's Arrow IPC stream: one record batch and what it needs
	FrameEnd       FrameType = 'Z' // QueryEnd
	FrameError     FrameType = 'E' // Failure
	// FrameProve goes to a child of the doctor after Configure, as a ProveJob, and
	// comes back once per Wall, before End.
	FrameProve FrameType = 'P'
)

// MaxFrame bounds a frame, so that a confused child cannot make the server
// allocate without limit.
const MaxFrame = 256 << 20

// QueryConfig is all that a query child will ever see: granted tables, of which
// it need not get those that no statement has mentioned yet.
type QueryConfig struct {
	DataDir string       `json:"data_dir"`
	Tables  []QueryTable `json:"tables"`
	Budget  Budget       `json:"budget"`
}

// QueryTable is one name and the files behind it: Parquet, or one Arrow IPC
// file (.arrow), which a stored result is.
type QueryTable struct {
	Name string   `json:"name"`
	Keys []string `json:"keys"`
}

// QueryJob is one statement. The child stops by itself after MaxRows rows.
type QueryJob struct {
	SQL     string `json:"sql"`
	MaxRows int64  `json:"max_rows"` // 0: no limit
	// Listing is every granted table, sent only after the child asked for it
	// with a Failure of code NeedsListing; then it is not nil, even when empty.
	Listing []ListedTable `json:"listing,omitzero"`
}

// ListedTable is what SHOW TABLES, information_schema and their like tell about
// a granted table. No file is opened for it.
type ListedTable struct {
	Name    string            `json:"name"`
	Comment string            `json:"comment,omitempty"`
	Rows    int64             `json:"rows"`
	Columns []registry.Column `json:"columns"`
}

// Codes of failures that the server acts on.
const (
	NeedsListing  = "needs_listing"   // run the statement again with Listing
	ChildLost     = "child_lost"      // the child lost its scratch folder: run the statement again in another
	TableNotFound = "table_not_found" // Failure.Table names no table of the child
)

// QuerySchema names the columns with their DuckDB types.
type QuerySchema struct {
	Columns []registry.Column `json:"columns"`
}

// QueryEnd closes a query that succeeded.
type QueryEnd struct {
	Rows int64 `json:"rows"`
	More bool  `json:"more"` // rows beyond MaxRows existed
}

// FrameHead returns what stands before a payload of size bytes. It is for those
// who send the payload by themselves.
func FrameHead(t FrameType, size int) ([5]byte, error) {
	head := [5]byte{byte(t)}
	if size > MaxFrame {
		return head, fmt.Errorf("frame %c of %d bytes is over the limit", t, size)
	}
	binary.BigEndian.PutUint32(head[1:], uint32(size)) //nolint:gosec // bounded by MaxFrame above
	return head, nil
}

// WriteFrame sends one frame with a raw payload.
func WriteFrame(w io.Writer, t FrameType, payload []byte) error {
	head, err := FrameHead(t, len(payload))
	if err != nil {
		return err
	}
	if _, err := w.Write(head[:]); err != nil {
		return fmt.Errorf("write frame %c: %w", t, err)
	}
	if _, err := w.Write(payload); err != nil {
		return fmt.Errorf("write frame %c: %w", t, err)
	}
	return nil
}

// WriteJSONFrame sends one frame with a JSON payload.
func WriteJSONFrame(w io.Writer, t FrameType, v any) error {
	payload, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode frame %c: %w", t, err)
	}
	return WriteFrame(w, t, payload)
}

// ReadFrame receives one frame; io.EOF when the other side closed in between.
func ReadFrame(r io.Reader) (FrameType, []byte, error) {
	t, n, err := ReadFrameHead(r)
	if err != nil {
		return 0, nil, err
	}
	payload, err := ReadFrameBody(r, n)
	if err != nil {
		return 0, nil, fmt.Errorf("read frame %q: %w", byte(t), err)
	}
	return t, payload, nil
}

// ReadFrameHead receives what stands before a frame's payload: its type and
// the payload's size. It is for those who read the payload by themselves.
func ReadFrameHead(r io.Reader) (FrameType, uint32, error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		if err == io.EOF { // ReadFull returns it bare, and only when nothing was read
			return 0, 0, io.EOF
		}
		return 0, 0, fmt.Errorf("read frame: %w", err)
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > MaxFrame {
		return 0, 0, fmt.Errorf("frame %q of %d bytes is over the limit", head[0], n)
	}
	return FrameType(head[0]), n, nil
}

// ReadFrameBody receives a payload whose head was read.
func ReadFrameBody(r io.Reader, n uint32) ([]byte, error) {
	payload := make([]byte, n)
	if _, err := io.ReadFull(r, payload); err != nil {
		return nil, fmt.Errorf("read a payload of %d bytes: %w", n, err)
	}
	return payload, nil
}
