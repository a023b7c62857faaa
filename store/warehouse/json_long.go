package warehouse

import (
	"errors"
	"fmt"
	"io"
	"os"

	"agnes/domain/ducktype"
)

// The engine reads JSON's numbers of more than 20 digits as DOUBLE, and so whole
// numbers of more than 15 beside fractions: their last digits are lost without a
// word, and 1e400 is infinite (DuckDB 1.5). Columns that have one are text, or JSON.

// hasDouble reports whether a type is or holds DOUBLE.
func hasDouble(kind string) bool {
	return ducktype.Replace(kind, func(kind string) string {
		if kind == "DOUBLE" {
			return ""
		}
		return kind
	}) != kind
}

// longNumberIn is SQL for a value of JSON that DOUBLE does not hold, or that may have
// one within.
func longNumberIn(value, kind string) string {
	if nested(kind) {
		return anyRow("regexp_matches(CAST(" + value + ` AS VARCHAR), '[\[:,]\s*-?([0-9]{16,}|[0-9.]+[eE]\+?[0-9]{3,})\s*[,\]}]')`)
	}
	text := "(" + value + " ->> '$')"
	return anyRow(fmt.Sprintf(`length(%s) > 3 AND (regexp_matches(%[1]s, '^-?[0-9]{16,}$') AND (length(%[1]s) > 38 OR TRY_CAST(%[1]s AS HUGEINT) IS DISTINCT FROM TRY_CAST(TRY_CAST(%[1]s AS DOUBLE) AS HUGEINT))
		OR regexp_matches(%[1]s, '^-?[0-9.]+[eE]\+?[0-9]{3,}$') AND NOT coalesce(isfinite(TRY_CAST(%[1]s AS DOUBLE)), false))`, text))
}

// mayHoldLong reports whether a JSON file may have a number that DOUBLE does not
// hold. It reads bytes and no JSON: a yes costs a look, a no is sure.
func mayHoldLong(path string) (_ bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("open file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return mayHoldLongIn(f, make([]byte, wordsBuffer))
}

func mayHoldLongIn(in io.Reader, buffer []byte) (bool, error) {
	digits, most := 0, longWhole // of the run that is read, and how many it may have
	for {
		n, err := in.Read(buffer)
		for _, b := range buffer[:n] {
			switch {
			case b >= '0' && b <= '9':
				if digits++; digits > most {
					return true, nil
				}
				continue
			case b == '.':
				most = len(buffer) // digits after it are cut, not lost
			case b == 'e', b == 'E':
				most = 2
			case b == '+' && digits == 0 && most == 2:
			default:
				most = longWhole
			}
			digits = 0
		}
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("read file: %w", err)
		}
	}
}
