package warehouse

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// byteOrderMark begins some files in UTF-8. It belongs to no value.
const byteOrderMark = "\ufeff"

// errNotText ends the reading of text that has what is no character in its
// encoding, and errCutText that of one that ends within a character. Either would
// be replaced without a word by the decoders at hand.
var (
	errNotText = errors.New("has what is no character in its encoding")
	errCutText = errors.New("ends in the middle of a character")
)

// decodeBytes is how much is decoded at once.
const decodeBytes = 64 << 10

// utf16Text reads UTF-16 as UTF-8. Without a mark, zeros tell the order of bytes.
type utf16Text struct {
	in    io.Reader
	raw   []byte // read and not decoded
	text  []byte // decoded and not given away
	order binary.ByteOrder
	err   error
}

// Read implements io.Reader.
func (u *utf16Text) Read(p []byte) (int, error) {
	for len(u.text) == 0 {
		if u.err != nil {
			return 0, u.err
		}
		u.fill()
	}
	n := copy(p, u.text)
	u.text = u.text[n:]
	return n, nil
}

func (u *utf16Text) fill() {
	held := len(u.raw)
	u.raw = append(u.raw, make([]byte, decodeBytes)...)
	n, err := io.ReadFull(u.in, u.raw[held:])
	u.raw = u.raw[:held+n]
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	if u.order == nil {
		u.order = orderOf(u.raw)
	}
	rest, bad := u.decode()
	switch {
	case bad != nil:
		err = bad
	case errors.Is(err, io.EOF) && len(rest) > 0:
		err = errCutText
	}
	u.raw, u.err = append(u.raw[:0], rest...), err
}

// decode turns whole characters of raw into text and returns what is left.
func (u *utf16Text) decode() (rest []byte, err error) {
	rest, u.text = u.raw, u.text[:0]
	for len(rest) >= 2 {
		c, n := rune(u.order.Uint16(rest)), 2
		if utf16.IsSurrogate(c) {
			if len(rest) < 4 {
				return rest, nil
			}
			if c, n = utf16.DecodeRune(c, rune(u.order.Uint16(rest[2:]))), 4; c == utf8.RuneError {
				return rest, errNotText
			}
		}
		u.text = utf8.AppendRune(u.text, c)
		rest = rest[n:]
	}
	return rest, nil
}

func orderOf(head []byte) binary.ByteOrder {
	zeros := [2]int{}
	for i, b := range head {
		if b == 0 {
			zeros[i%2]++
		}
	}
	if bytes.HasPrefix(head, []byte("\xfe\xff")) || !bytes.HasPrefix(head, []byte("\xff\xfe")) && zeros[0] > zeros[1] {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// windowsText reads Windows-1252 as UTF-8. The five bytes that it has no character
// for are those of Latin-1.
type windowsText struct {
	in   io.Reader
	raw  []byte
	text []byte
	err  error
}

// Read implements io.Reader.
func (w *windowsText) Read(p []byte) (int, error) {
	for len(w.text) == 0 {
		if w.err != nil {
			return 0, w.err
		}
		if w.raw == nil {
			w.raw = make([]byte, decodeBytes)
		}
		n, err := w.in.Read(w.raw)
		w.text, w.err = w.text[:0], err
		for _, b := range w.raw[:n] {
			c := charmap.Windows1252.DecodeByte(b)
			if c == utf8.RuneError {
				c = rune(b)
			}
			w.text = utf8.AppendRune(w.text, c)
		}
	}
	n := copy(p, w.text)
	w.text = w.text[n:]
	return n, nil
}

// unmarked is text without the mark that it may begin with.
func unmarked(text io.Reader) io.Reader {
	in := bufio.NewReaderSize(text, decodeBytes)
	if head, err := in.Peek(len(byteOrderMark)); err == nil && string(head) == byteOrderMark {
		_, _ = in.Discard(len(byteOrderMark)) // they were just seen
	}
	return in
}
