package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
)

// flushAt is how much JSON is gathered before it is written.
const flushAt = 64 << 10

// writeCSV quotes as RFC 4180 says. NULL is an empty field.
func writeCSV(w io.Writer, r rowSet) error {
	out := csv.NewWriter(w)
	if err := out.Write(r.Columns); err != nil {
		return err
	}
	record := make([]string, len(r.Columns))
	for _, row := range r.Rows {
		for i, value := range row {
			record[i] = cell(value, "")
		}
		if len(record) == 1 && record[0] == "" {
			// A line of nothing is no row to most readers.
			out.Flush()
			if _, err := io.WriteString(w, "\"\"\n"); err != nil {
				return err
			}
			continue
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// writeGrid writes rows in columns for people.
func writeGrid(w io.Writer, r rowSet) error {
	rows := make([][]string, len(r.Rows))
	for i, row := range r.Rows {
		rows[i] = make([]string, len(row))
		for j, value := range row {
			rows[i][j] = cell(value, "NULL")
		}
	}
	if err := writeTable(w, r.Columns, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "(%s)\n", count(len(rows), "row"))
	return err
}

// writeObjects writes a list of objects, keys in the order of the columns. A
// second column of the same name gets a number, because an object holds one.
func writeObjects(w io.Writer, r rowSet) error {
	keys, err := objectKeys(r.Columns)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	out.WriteByte('[')
	for i, row := range r.Rows {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString("\n  {")
		for j, value := range row {
			if j > 0 {
				out.WriteString(", ")
			}
			data, err := marshal(value)
			if err != nil {
				return err
			}
			out.Write(keys[j])
			out.WriteString(": ")
			out.Write(data)
		}
		out.WriteByte('}')
		if out.Len() > flushAt {
			if _, err := out.WriteTo(w); err != nil {
				return err
			}
		}
	}
	if len(r.Rows) > 0 {
		out.WriteByte('\n')
	}
	out.WriteString("]\n")
	_, err = out.WriteTo(w)
	return err
}

func objectKeys(columns []string) ([][]byte, error) {
	used := map[string]bool{}
	for _, c := range columns {
		used[c] = true
	}
	seen := map[string]bool{}
	keys := make([][]byte, len(columns))
	for i, name := range columns {
		for n := 2; seen[name]; n++ {
			if next := fmt.Sprintf("%s_%d", columns[i], n); !used[next] {
				name = next
			}
		}
		seen[name], used[name] = true, true
		key, err := marshal(name)
		if err != nil {
			return nil, err
		}
		keys[i] = key
	}
	return keys, nil
}

// cell is a value as text.
func cell(value any, null string) string {
	switch v := value.(type) {
	case nil:
		return null
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		if v {
			return "true"
		}
		return "false"
	}
	data, err := marshal(value)
	if err != nil {
		return "?"
	}
	return string(bytes.TrimSpace(data))
}
