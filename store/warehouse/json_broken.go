package warehouse

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
)

// The engine counts lines of broken JSON otherwise than people do: blank ones not,
// and one too many (DuckDB 1.5).

// lookedThrough is how much of a broken file is looked through.
const lookedThrough = 256 << 20

// brokenLine is the line of a JSON file in which the first value begins that is
// broken; 0 where none is found.
func brokenLine(path string) int {
	at, found := brokenAt(path)
	if !found {
		return 0
	}
	f, err := os.Open(path)
	if err != nil {
		return 0 // the sentence does without
	}
	defer f.Close()
	line := 1
	in := bufio.NewReader(f)
	for n := int64(0); ; n++ {
		b, err := in.ReadByte()
		if err != nil || n >= at && b > ' ' && b != ',' {
			return line
		}
		if b == '\n' {
			line++
		}
	}
}

// brokenAt is where the first broken value begins, or what stands before it.
func brokenAt(path string) (at int64, found bool) {
	f, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	in := bufio.NewReader(io.LimitReader(f, lookedThrough))
	head, _ := in.Peek(probeBytes)
	d := json.NewDecoder(in)
	list := bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("["))
	if list {
		if _, err := d.Token(); err != nil {
			return 0, true
		}
	}
	var value json.RawMessage
	for !list || d.More() {
		if err := d.Decode(&value); errors.Is(err, io.EOF) {
			return d.InputOffset(), list
		} else if err != nil {
			return d.InputOffset(), true
		}
	}
	if _, err := d.Token(); err != nil { // the list's end
		return d.InputOffset(), true
	}
	return d.InputOffset(), !errors.Is(d.Decode(&value), io.EOF)
}
