package profile

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// Number is a number of any size and with all its digits; "" is none, and null
// in JSON.
type Number string

// MarshalJSON writes the number as it is.
func (n Number) MarshalJSON() ([]byte, error) {
	if n == "" {
		return []byte("null"), nil
	}
	return json.Marshal(json.Number(n)) //nolint:wrapcheck // says what is wrong
}

// UnmarshalJSON reads what MarshalJSON writes.
func (n *Number) UnmarshalJSON(text []byte) error {
	var number *json.Number
	if err := json.Unmarshal(text, &number); err != nil {
		return fmt.Errorf("read a number: %w", err)
	}
	*n = ""
	if number != nil {
		*n = Number(*number)
	}
	return nil
}

// Float is the nearest number that Go calculates with; false when there is none.
func (n Number) Float() (float64, bool) {
	x, err := strconv.ParseFloat(string(n), 64)
	return x, err == nil
}
