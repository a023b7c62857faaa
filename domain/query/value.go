package query

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Value returns one cell as contract 3.1 sends it: nil, bool, int64, uint64,
// float64 or string. Everything else, and a float that JSON cannot hold, is text.
func Value(a arrow.Array, i int) any {
	if empty(a, i) {
		return nil
	}
	switch a := a.(type) {
	case *array.Boolean:
		return a.Value(i)
	case *array.Int8:
		return int64(a.Value(i))
	case *array.Int16:
		return int64(a.Value(i))
	case *array.Int32:
		return int64(a.Value(i))
	case *array.Int64:
		return a.Value(i)
	case *array.Uint8:
		return uint64(a.Value(i))
	case *array.Uint16:
		return uint64(a.Value(i))
	case *array.Uint32:
		return uint64(a.Value(i))
	case *array.Uint64:
		return a.Value(i)
	case *array.Float32:
		return finite(float64(a.Value(i)), 32)
	case *array.Float64:
		return finite(a.Value(i), 64)
	}
	text, _ := Text(a, i)
	return text
}

// empty reports whether a cell is NULL. A column of the type NULL does not say so
// itself.
func empty(a arrow.Array, i int) bool {
	return a.IsNull(i) || a.DataType().ID() == arrow.NULL
}

// finite widens a float by its shortest decimal text, so that a FLOAT 0.1
// stays 0.1, and turns NaN and infinities into text.
func finite(f float64, bits int) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return floatText(f, bits)
	}
	if bits == 32 {
		short, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', -1, 32), 64)
		if err == nil {
			return short
		}
	}
	return f
}

// Text returns one cell as people read it, in DuckDB's own notation; ok is
// false for NULL.
func Text(a arrow.Array, i int) (_ string, ok bool) {
	if empty(a, i) {
		return "", false
	}
	switch a := a.(type) {
	case *array.String:
		return a.Value(i), true
	case *array.LargeString:
		return a.Value(i), true
	case *array.StringView:
		return a.Value(i), true
	case *array.Float32:
		return floatText(float64(a.Value(i)), 32), true
	case *array.Float64:
		return floatText(a.Value(i), 64), true
	case *array.BinaryView:
		return blobText(a.Value(i)), true
	case *array.Float16:
		return floatText(float64(a.Value(i).Float32()), 32), true
	case *array.Date32:
		return daysText(a.Value(i)), true
	case *array.Date64:
		return dateText(a.Value(i).ToTime()), true
	case *array.Timestamp:
		return timestampText(a, i), true
	case *array.Time64:
		unit := a.DataType().(*arrow.Time64Type).Unit
		return timeText(int64(a.Value(i)), unit), true
	case *array.Time32:
		unit := a.DataType().(*arrow.Time32Type).Unit
		return timeText(int64(a.Value(i)), unit), true
	case *array.Duration:
		unit := a.DataType().(*arrow.DurationType).Unit
		return intervalText(arrow.MonthDayNanoInterval{Nanoseconds: int64(a.Value(i)) * int64(unit.Multiplier())}), true
	case *array.Decimal128:
		return a.Value(i).ToString(a.DataType().(*arrow.Decimal128Type).Scale), true
	case *array.Decimal256:
		return a.Value(i).ToString(a.DataType().(*arrow.Decimal256Type).Scale), true
	case *array.MonthDayNanoInterval:
		return intervalText(a.Value(i)), true
	case *array.Binary:
		return blobText(a.Value(i)), true
	case *array.LargeBinary:
		return blobText(a.Value(i)), true
	case *array.FixedSizeBinary:
		return hex.EncodeToString(a.Value(i)), true
	case *array.Dictionary:
		return Text(a.Dictionary(), a.GetValueIndex(i))
	case array.ExtensionArray:
		return Text(a.Storage(), i)
	case *array.Map: // before ListLike, which a map also is
		return mapText(a, i), true
	case array.ListLike:
		start, end := a.ValueOffsets(i)
		return listText(a.ListValues(), int(start), int(end)), true
	case *array.Struct:
		return structText(a, i), true
	}
	return a.ValueStr(i), true
}

func floatText(f float64, bits int) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-5 || abs >= 1e16) {
		format = 'e'
	}
	s := strconv.FormatFloat(f, format, -1, bits)
	if format == 'f' && !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// daysText prints a DATE, whose ends stand for infinity.
func daysText(d arrow.Date32) string {
	switch d {
	case math.MaxInt32:
		return "infinity"
	case -math.MaxInt32:
		return "-infinity"
	}
	return dateText(d.ToTime())
}

func dateText(t time.Time) string {
	if t.Year() > 0 {
		return t.Format("2006-01-02")
	}
	return fmt.Sprintf("%04d-%02d-%02d (BC)", 1-t.Year(), t.Month(), t.Day())
}

// timeText prints a TIME, of which a day has one more than a clock: 24:00:00.
func timeText(v int64, unit arrow.TimeUnit) string {
	if time.Duration(v)*unit.Multiplier() == 24*time.Hour {
		return "24:00:00"
	}
	return clockText(time.Unix(0, v*int64(unit.Multiplier())).UTC())
}

// clockText prints a time of day with its fraction, without trailing zeros.
func clockText(t time.Time) string {
	return t.Format("15:04:05.999999999")
}

func timestampText(a *array.Timestamp, i int) string {
	kind := a.DataType().(*arrow.TimestampType)
	switch v := a.Value(i); {
	case int64(v) == math.MaxInt64:
		return "infinity"
	case int64(v) == -math.MaxInt64:
		return "-infinity"
	default:
		t := v.ToTime(kind.Unit).UTC()
		s := dateText(t) + " " + clockText(t)
		if kind.TimeZone != "" {
			s += "+00"
		}
		return s
	}
}

func intervalText(v arrow.MonthDayNanoInterval) string {
	var parts []string
	add := func(n int64, unit string) {
		if n == 0 {
			return
		}
		if n != 1 && n != -1 {
			unit += "s"
		}
		parts = append(parts, fmt.Sprintf("%d %s", n, unit))
	}
	add(int64(v.Months/12), "year")
	add(int64(v.Months%12), "month")
	add(int64(v.Days), "day")
	if v.Nanoseconds != 0 || len(parts) == 0 {
		sign, d := "", time.Duration(v.Nanoseconds)
		if d < 0 {
			sign, d = "-", -d
		}
		whole := d / time.Second
		clock := fmt.Sprintf("%s%02d:%02d:%02d", sign, whole/3600, whole/60%60, whole%60)
		if frac := (d % time.Second).Microseconds(); frac != 0 {
			clock += strings.TrimRight(fmt.Sprintf(".%06d", frac), "0")
		}
		parts = append(parts, clock)
	}
	return strings.Join(parts, " ")
}

// blobText prints bytes as DuckDB does: printable ASCII as it is, the rest as \xHH.
func blobText(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		if c >= 0x20 && c < 0x7f && c != '\\' && c != '\'' && c != '"' {
			s.WriteByte(c)
			continue
		}
		fmt.Fprintf(&s, `\x%02X`, c)
	}
	return s.String()
}

func listText(values arrow.Array, start, end int) string {
	parts := make([]string, 0, end-start)
	for i := start; i < end; i++ {
		parts = append(parts, nested(values, i))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func structText(a *array.Struct, i int) string {
	fields := a.DataType().(*arrow.StructType).Fields()
	parts := make([]string, len(fields))
	if unnamed(fields) {
		for f := range fields {
			parts[f] = nested(a.Field(f), i)
		}
		return "(" + strings.Join(parts, ", ") + ")"
	}
	for f := range fields {
		parts[f] = "'" + fields[f].Name + "': " + nested(a.Field(f), i)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func mapText(a *array.Map, i int) string {
	start, end := a.ValueOffsets(i)
	parts := make([]string, 0, end-start)
	for e := int(start); e < int(end); e++ {
		parts = append(parts, nested(a.Keys(), e)+"="+nested(a.Items(), e))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// nested prints a value inside another. As in DuckDB, a text that could be taken
// for something else is quoted.
func nested(a arrow.Array, i int) string {
	text, ok := Text(a, i)
	if !ok {
		return "NULL"
	}
	if deep(a.DataType()) || !ambiguous(text) {
		return text
	}
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}

func deep(t arrow.DataType) bool {
	_, nested := t.(arrow.NestedType)
	return nested
}

func ambiguous(text string) bool {
	return text == "" || text[0] == ' ' || text[len(text)-1] == ' ' || strings.EqualFold(text, "null") ||
		strings.ContainsAny(text, `"'(),:=[]{}`)
}
