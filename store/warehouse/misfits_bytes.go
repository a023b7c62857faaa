package warehouse

import (
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"agnes/domain/files"
)

// The engine notes a line that is no UTF-8 with question marks, also for bytes
// beside the wrong ones (DuckDB 1.5). The file has the line as it is.

// lineAt is a line as the engine notes it, and where it found it.
type lineAt struct {
	text string
	at   sql.NullInt64 // counted from 1
}

// lineBytes is the line as the file has it; the engine's where it is another one.
func lineBytes(file *os.File, l lineAt) string {
	if !l.at.Valid || !strings.Contains(l.text, "?") {
		return l.text
	}
	raw := make([]byte, len(l.text))
	for _, before := range []int64{0, int64(len(byteOrderMark))} {
		if _, err := file.ReadAt(raw, max(0, l.at.Int64-1+before)); err != nil {
			return l.text // the file ends before: it is no line of this length
		}
		if questioned(l.text, raw) {
			return string(raw)
		}
	}
	return l.text
}

// questioned reports whether text is raw with question marks.
func questioned(text string, raw []byte) bool {
	for i, b := range raw {
		if text[i] != b && text[i] != '?' {
			return false
		}
	}
	return true
}

// visible is a line with \xNN for what is no UTF-8.
func visible(raw string) string {
	if utf8.ValidString(raw) {
		return raw
	}
	var b strings.Builder
	for len(raw) > 0 {
		c, n := utf8.DecodeRuneInString(raw)
		if c == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02X`, raw[0])
		} else {
			b.WriteString(raw[:n])
		}
		raw = raw[n:]
	}
	return b.String()
}

// rejected are the rows that the engine put aside, shown with the bytes of the file.
func (r *reader) rejected(ctx context.Context, db *sql.DB) (files.Misfits, error) {
	m, err := misfits(ctx, db, r.rejects())
	if err != nil || r.sheet != nil {
		return m, err
	}
	file, err := os.Open(r.path)
	if err != nil {
		return m, fmt.Errorf("open file: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	for i, one := range m.First {
		if !strings.Contains(one.Raw, "?") {
			continue
		}
		var l lineAt
		query := "SELECT first(csv_line), first(line_byte_position) FROM " + rejectsTable + " WHERE line = " + strconv.FormatInt(one.Line, 10)
		if err := db.QueryRowContext(ctx, query).Scan(&l.text, &l.at); err != nil {
			return m, fmt.Errorf("read misfits: %w", err)
		}
		m.First[i].Raw = shorten(visible(lineBytes(file, l)), misfitShown)
	}
	return m, nil
}

// hidesBytes reports whether lines that the engine put aside may have bytes that
// are no UTF-8.
func (r *reader) hidesBytes(ctx context.Context, db *sql.DB) (may bool, err error) {
	if r.sheet != nil {
		return false, nil
	}
	if err := db.QueryRowContext(ctx, "SELECT "+anyRow("contains(csv_line, '?')")+" FROM "+rejectsTable).Scan(&may); err != nil {
		return false, fmt.Errorf("look through misfits: %w", err)
	}
	return may, nil
}

// writeBytes writes the rows that the engine put aside with the bytes of the file.
func (r *reader) writeBytes(ctx context.Context, db *sql.DB, aside string) (err error) {
	file, err := os.Open(r.path)
	if err != nil {
		return fmt.Errorf("open file: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	out, err := os.OpenFile(aside, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("put misfits aside: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	to := csv.NewWriter(out)
	write := func(item string, cells ...string) error {
		if r.among {
			cells = append([]string{item}, cells...)
		}
		return to.Write(cells) //nolint:wrapcheck // said below
	}
	if err := write("file", "line", "column", "reason", "raw"); err != nil {
		return fmt.Errorf("put misfits aside: %w", err)
	}
	rows, err := db.QueryContext(ctx, "SELECT found.line, coalesce(\"column\", ''), reason, raw, place FROM ("+rejectQuery+") AS found "+
		"JOIN (SELECT line, first(line_byte_position) AS place FROM "+rejectsTable+" GROUP BY line) AS places ON found.line = places.line ORDER BY found.line")
	if err != nil {
		return fmt.Errorf("read misfits: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var line, column, reason string
		var l lineAt
		if err := rows.Scan(&line, &column, &reason, &l.text, &l.at); err != nil {
			return fmt.Errorf("read misfits: %w", err)
		}
		if err := write(r.item, line, column, reason, lineBytes(file, l)); err != nil {
			return fmt.Errorf("put misfits aside: %w", err)
		}
	}
	to.Flush()
	return errors.Join(rows.Err(), to.Error())
}
