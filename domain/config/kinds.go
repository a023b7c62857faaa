package config

import (
	"net/netip"
	"time"
)

// Kind is the form of a setting's value, as contract 4.8 names it.
type Kind string

// The kinds.
const (
	String Kind = "string"
	Int    Kind = "int"
	Float  Kind = "float"
	Bool   Kind = "bool"
	Select Kind = "select"
	Hidden Kind = "secret"
	Array  Kind = "array"
	Map    Kind = "map"
	Object Kind = "object"
)

// reader puts a setting's text into the configuration.
type reader struct {
	kind    Kind
	options []string
	into    func(c *Config, text string) error
	clear   func(c *Config)
}

// into reads a value with parse and puts it where field points.
func into[T any](field func(*Config) *T, parse func(string) (T, error)) reader {
	return reader{kind: kindOf[T](), into: func(c *Config, text string) error {
		v, err := parse(text)
		if err == nil {
			*field(c) = v
		}
		return err
	}, clear: func(c *Config) { *field(c) = *new(T) }}
}

// sized reads a number of bytes, which people write with its unit.
func sized(field func(*Config) *int64) reader {
	r := into(field, size)
	r.kind = String
	return r
}

// chosen is r for a value that is one of few.
func chosen(r reader, options ...string) reader {
	r.kind, r.options = Select, options
	return r
}

// among is r for a list of values that are each one of few.
func among(r reader, options ...string) reader {
	r.options = options
	return r
}

func kindOf[T any]() Kind {
	switch any(*new(T)).(type) {
	case Secret:
		return Hidden
	case bool:
		return Bool
	case int, int64, time.Duration:
		return Int
	case []string, []netip.Prefix:
		return Array
	}
	return String
}
