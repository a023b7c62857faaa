package activity

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/query/export"
)

// Format is how an export writes rows.
type Format string

// The formats of an export.
const (
	CSV   Format = "csv"
	JSONL Format = "jsonl"
)

// ParseFormat reads a format; CSV when none is named.
func ParseFormat(text string) (Format, error) {
	switch f := Format(text); f {
	case "":
		return CSV, nil
	case CSV, JSONL:
		return f, nil
	}
	return "", domain.E(domain.Invalid, "unknown_format", "The activity is exported as csv or jsonl, not as %q.", text)
}

// ContentType is the format's media type.
func (f Format) ContentType() string {
	if f == JSONL {
		return "application/x-ndjson; charset=utf-8"
	}
	return "text/csv; charset=utf-8"
}

// exportPage is how many rows are in memory at a time.
const exportPage = 500

// stamp is how an export writes times.
const stamp = "2006-01-02T15:04:05.000000Z"

// Export writes every row that a filter means, newest first, and then its own
// row of the log, before the last piece leaves. Rows that are written meanwhile
// are not in it.
func (l *Log) Export(ctx context.Context, by audit.Actor, w io.Writer, format Format, f audit.Filter) (err error) {
	if now := l.Now(); f.Until.IsZero() || f.Until.After(now) {
		f.Until = now.Add(time.Microsecond)
	}
	out := bufio.NewWriterSize(w, 64<<10)
	rows := 0
	defer func() {
		result := "success"
		if err != nil {
			result = "error.500"
			if ctx.Err() != nil || errors.Is(err, errLeft) {
				result = "error.499"
			}
		}
		params := f.Params()
		params["format"], params["rows"] = string(format), rows
		noted := l.Audit(context.WithoutCancel(ctx), audit.Entry{Actor: by, Action: "activity.export", Resource: "audit_log", Params: params, Result: result})
		if err = errors.Join(err, noted); err == nil {
			err = out.Flush()
		}
	}()
	write := rowWriter(format, out)
	o := audit.ListOptions{Limit: exportPage}
	for {
		page, err := l.ListActivity(ctx, f, o)
		if err != nil {
			return fmt.Errorf("export activity: %w", err)
		}
		for _, row := range page.Rows {
			if err := write(&row); err != nil {
				return errors.Join(errLeft, err)
			}
			rows++
		}
		if page.Older == nil {
			return nil
		}
		o.From = page.Older
	}
}

// errLeft is that the reader is gone.
var errLeft = errors.New("the reader of the export left")

// exported is a row of the log as JSON lines hold it.
type exported struct {
	ID        string         `json:"id"`
	Timestamp string         `json:"timestamp"`
	UserID    string         `json:"user_id"`
	UserEmail string         `json:"user_email"`
	Action    string         `json:"action"`
	Resource  string         `json:"resource"`
	Params    map[string]any `json:"params"`
	Before    map[string]any `json:"params_before"`
	Result    string         `json:"result"`
	Duration  int64          `json:"duration_ms"`
	ClientIP  string         `json:"client_ip"`
	Client    string         `json:"client_kind"`
	RequestID string         `json:"correlation_id"`
}

// rowWriter writes the head of a format and returns how a row is written.
func rowWriter(format Format, out *bufio.Writer) func(*audit.Listed) error {
	if format == JSONL {
		encoder := json.NewEncoder(out)
		return func(row *audit.Listed) error {
			return encoder.Encode(exported{
				ID: row.ID, Timestamp: row.Timestamp.UTC().Format(stamp), UserID: row.Actor.UserID, UserEmail: row.Actor.Email,
				Action: row.Action, Resource: row.Resource, Params: row.Params, Before: row.Before, Result: row.Result, Duration: row.DurationMS,
				ClientIP: row.Actor.ClientIP, Client: row.Actor.ClientKind, RequestID: row.Actor.RequestID,
			})
		}
	}
	table := csv.NewWriter(out)
	cells := []string{
		"id", "timestamp", "user_id", "user_email", "action", "resource", "params", "params_before",
		"result", "duration_ms", "client_ip", "client_kind", "correlation_id",
	}
	begun := table.Write(cells)
	return func(row *audit.Listed) error {
		cells = append(cells[:0], row.ID, row.Timestamp.UTC().Format(stamp), row.Actor.UserID, row.Actor.Email, row.Action, row.Resource,
			object(row.Params), object(row.Before), row.Result, strconv.FormatInt(row.DurationMS, 10), row.Actor.ClientIP, row.Actor.ClientKind, row.Actor.RequestID)
		for i := range cells {
			cells[i] = export.Guard(cells[i])
		}
		if err := errors.Join(begun, table.Write(cells)); err != nil {
			return err
		}
		table.Flush() // into out, which is what bounds memory
		return table.Error()
	}
}

// object is JSON text; "" for nothing.
func object(params map[string]any) string {
	if len(params) == 0 {
		return ""
	}
	text, err := json.Marshal(params)
	if err != nil { // it came out of JSON
		return ""
	}
	return string(text)
}
