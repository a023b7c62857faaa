package query

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// AppendJSON appends one cell as JSON. Whole numbers of up to 64 bits and finite
// floats are numbers, lists are lists, structs and maps with text keys objects;
// other maps are lists of {"key", "value"}, everything else text as Text prints
// it, so that no digit is lost. With raw, text that is JSON is itself.
func AppendJSON(to []byte, a arrow.Array, i int, raw bool) []byte {
	if a.IsNull(i) {
		return append(to, "null"...)
	}
	switch a := a.(type) {
	case *array.Map:
		return appendMap(to, a, i)
	case array.ListLike:
		start, end := a.ValueOffsets(i)
		to = append(to, '[')
		for e := start; e < end; e++ {
			if e > start {
				to = append(to, ',')
			}
			to = AppendJSON(to, a.ListValues(), int(e), false)
		}
		return append(to, ']')
	case *array.Struct:
		return appendStruct(to, a, i)
	case array.ExtensionArray:
		return AppendJSON(to, a.Storage(), i, raw)
	}
	return AppendJSONValue(to, Value(a, i), raw)
}

// AppendJSONValue appends what Value returns as JSON.
func AppendJSONValue(to []byte, v any, raw bool) []byte {
	switch v := v.(type) {
	case nil:
		return append(to, "null"...)
	case bool:
		return strconv.AppendBool(to, v)
	case int64:
		return strconv.AppendInt(to, v, 10)
	case uint64:
		return strconv.AppendUint(to, v, 10)
	case float64:
		return appendFloat(to, v)
	case string:
		if raw && json.Valid([]byte(v)) {
			return append(to, v...)
		}
		return AppendJSONText(to, v)
	}
	return append(to, "null"...) // Value returns nothing else
}

// appendFloat prints the shortest text that reads back as the same float.
func appendFloat(to []byte, f float64) []byte {
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return strconv.AppendFloat(to, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(to, f, 'f', -1, 64)
}

// AppendJSONText appends a text as a JSON string.
func AppendJSONText(to []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			return appendOddText(to, s)
		}
	}
	to = append(to, '"')
	to = append(to, s...)
	return append(to, '"')
}

func appendOddText(to []byte, s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil { // a string always encodes
		return append(to, `""`...)
	}
	return append(to, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}

func appendStruct(to []byte, a *array.Struct, i int) []byte {
	fields := a.DataType().(*arrow.StructType).Fields()
	if unnamed(fields) {
		to = append(to, '[')
		for f := range fields {
			if f > 0 {
				to = append(to, ',')
			}
			to = AppendJSON(to, a.Field(f), i, false)
		}
		return append(to, ']')
	}
	to = append(to, '{')
	for f := range fields {
		if f > 0 {
			to = append(to, ',')
		}
		to = append(AppendJSONText(to, fields[f].Name), ':')
		to = AppendJSON(to, a.Field(f), i, false)
	}
	return append(to, '}')
}

// appendMap writes a map with text keys as an object, any other as a list.
func appendMap(to []byte, a *array.Map, i int) []byte {
	start, end := a.ValueOffsets(i)
	switch a.Keys().DataType().ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW:
	default:
		return appendPairs(to, a, int(start), int(end))
	}
	to = append(to, '{')
	for e := int(start); e < int(end); e++ {
		if e > int(start) {
			to = append(to, ',')
		}
		key, _ := Text(a.Keys(), e)
		to = append(AppendJSONText(to, key), ':')
		to = AppendJSON(to, a.Items(), e, false)
	}
	return append(to, '}')
}

func appendPairs(to []byte, a *array.Map, start, end int) []byte {
	to = append(to, '[')
	for e := start; e < end; e++ {
		if e > start {
			to = append(to, ',')
		}
		to = append(to, `{"key":`...)
		to = AppendJSON(to, a.Keys(), e, false)
		to = append(to, `,"value":`...)
		to = AppendJSON(to, a.Items(), e, false)
		to = append(to, '}')
	}
	return append(to, ']')
}

// unnamed reports whether a struct is a row whose fields have no names.
func unnamed(fields []arrow.Field) bool {
	for _, f := range fields {
		if f.Name != "" {
			return false
		}
	}
	return len(fields) > 0
}
