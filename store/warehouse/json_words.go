package warehouse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// wordsBuffer is how much of a file is looked through at once.
const wordsBuffer = 1 << 20

// mayHoldWords reports whether a JSON file may have a string that is one of the
// words for dates. It reads bytes and no JSON: a yes costs a look, a no is sure.
func mayHoldWords(path string) (_ bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("open file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return mayHoldWordsIn(f, make([]byte, wordsBuffer))
}

// mayHoldWordsIn reads through a buffer, which keeps the end of what was read
// before: a word may be cut.
func mayHoldWordsIn(in io.Reader, buffer []byte) (bool, error) {
	const kept = 32
	held := 0
	for {
		n, err := in.Read(buffer[held:])
		if wordsIn(buffer[:held+n]) {
			return true, nil
		}
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("read file: %w", err)
		}
		end := held + n
		held = copy(buffer, buffer[max(0, end-kept):end])
	}
}

var wordEnds = [][]byte{[]byte("infinity"), []byte("epoch")}

// wordsIn looks at what stands before each quote. Letters that are written as
// numbers, and what a cut hides, are taken for a word. The first piece of a chunk
// may be cut.
func wordsIn(chunk []byte) bool {
	if numbered(chunk) {
		return true
	}
	first := true
	for rest := chunk; ; first = false {
		i := bytes.IndexByte(rest, '"')
		if i < 0 {
			return false
		}
		before := trimSpace(rest[:i])
		rest = rest[i+1:]
		if first && len(before) < len(wordEnds[0]) && len(before) < i {
			return true
		}
		if len(before) == 0 || before[len(before)-1]|0x20 != 'y' && before[len(before)-1]|0x20 != 'h' {
			continue
		}
		for _, w := range wordEnds {
			if len(before) >= len(w) && bytes.EqualFold(before[len(before)-len(w):], w) {
				return true
			}
		}
	}
}

// numbered reports whether a plain letter is written by its number.
func numbered(chunk []byte) bool {
	for {
		_, after, found := bytes.Cut(chunk, []byte(`\u00`))
		if !found {
			return false
		}
		if len(after) > 0 && after[0] <= '7' {
			return true
		}
		chunk = after
	}
}

// trimSpace cuts white space off the end, also such as JSON escapes.
func trimSpace(text []byte) []byte {
	for n := len(text); n > 0; n = len(text) {
		switch last := text[n-1]; {
		case last <= ' ':
			text = text[:n-1]
		case n > 1 && text[n-2] == '\\' && bytes.IndexByte([]byte("tnrf"), last) >= 0:
			text = text[:n-2]
		default:
			return text
		}
	}
	return text
}
