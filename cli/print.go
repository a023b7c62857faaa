package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
)

// clean makes text safe for a terminal: what is not printable is shown as an
// escape, so that neither data nor a server can move the cursor.
func clean(s string) string {
	if !strings.ContainsFunc(s, unprintable) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case unprintable(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// cleanLines is clean for text of several lines, such as an engine's that
// points at a word of the statement.
func cleanLines(s string) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	for i, line := range lines {
		lines[i] = clean(line)
	}
	return strings.Join(lines, "\n")
}

// unprintable are control characters and those that reorder a line.
func unprintable(r rune) bool {
	return unicode.IsControl(r) || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069)
}

// cut shortens to n characters.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// writeTable writes rows in columns.
func writeTable(w io.Writer, header []string, rows [][]string) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	writeRow(out, header)
	for _, row := range rows {
		writeRow(out, row)
	}
	return out.Flush()
}

// writeRow has no tab at the end, and so no blanks there. The writer keeps its
// first error for Flush.
func writeRow(w io.Writer, cells []string) {
	for i, cell := range cells {
		if i > 0 {
			fmt.Fprint(w, "\t")
		}
		fmt.Fprint(w, clean(cell))
	}
	fmt.Fprintln(w)
}

// writeJSON prints a value as the server sent it, or as it is, indented.
func writeJSON(w io.Writer, v any) error {
	raw, ok := v.(json.RawMessage)
	if !ok {
		data, err := marshal(v)
		if err != nil {
			return fmt.Errorf("write JSON: %w", err)
		}
		raw = data
	}
	var out bytes.Buffer
	if err := json.Indent(&out, bytes.TrimSpace(raw), "", "  "); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	out.WriteByte('\n')
	_, err := w.Write(out.Bytes())
	return err
}

// marshal keeps <, > and & as they are.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// size writes a number of bytes, such as 1.2 MiB.
func size(n int64) string {
	return humanize.IBytes(uint64(max(n, 0)))
}

// count writes a number with its noun: 1 table, 2 tables.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// dash is for cells that have nothing to say.
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
