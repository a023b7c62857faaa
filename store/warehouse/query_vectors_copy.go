//go:build duckdb_arrow

package warehouse

import (
	"encoding/binary"
	"slices"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/bitutil"
)

// vectorText is a text in a vector: short ones whole, of longer ones the
// beginning and where they lie.
type vectorText struct {
	size   uint32
	inside [textInside]byte
}

// textInside is the size up to which a text lies in the vector itself.
const textInside = 12

// outside returns a text that is longer.
func (t *vectorText) outside() []byte {
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&t.inside[4])), int(t.size)) //nolint:gosec // a longer text has its place there
}

func (c *vectorColumn) texts(n int) []vectorText {
	return unsafe.Slice((*vectorText)(c.source), n) //nolint:gosec // the vector holds at least n values
}

func (c *vectorColumn) bytes(n int) []byte {
	return unsafe.Slice((*byte)(c.source), n*c.width) //nolint:gosec // the vector holds at least n values
}

// size is what n values take on the wire.
func (c *vectorColumn) size(n int) int64 {
	switch c.shape {
	case asTexts:
		return int64(4*n) + c.textSize(n)
	case asWide:
		return int64(16 * n)
	default:
		return int64(c.width * n)
	}
}

func (c *vectorColumn) textSize(n int) (size int64) {
	texts := c.texts(n)
	if c.mask == nil {
		for i := range texts {
			size += int64(texts[i].size)
		}
		return size
	}
	for i := range texts {
		if bitutil.BitIsSet(c.mask, i) { // what stands beside a null is anything
			size += int64(texts[i].size)
		}
	}
	return size
}

// take adds n values behind those of rows.
func (c *vectorColumn) take(rows, n int) {
	before := len(c.values)
	switch c.shape {
	case asTheyAre:
		c.values = append(c.values, c.bytes(n)...)
		c.clearNulls(before, c.width, n)
	case asWide:
		c.takeWide(n)
		c.clearNulls(before, 16, n)
	case asBits:
		c.takeBits(rows, n)
	case asTexts:
		c.takeTexts(n)
	}
	c.takeValid(rows, n)
}

// clearNulls overwrites what stands beside nulls: it may be anything that the
// memory held before, and is nobody's business.
func (c *vectorColumn) clearNulls(from, width, n int) {
	if c.mask == nil {
		return
	}
	for i := range n {
		if !bitutil.BitIsSet(c.mask, i) {
			clear(c.values[from+i*width : from+(i+1)*width])
		}
	}
}

// takeWide extends signed numbers to 16 bytes.
func (c *vectorColumn) takeWide(n int) {
	c.values = slices.Grow(c.values, 16*n)
	for source := c.bytes(n); len(source) > 0; source = source[c.width:] {
		var v int64
		switch c.width {
		case 2:
			v = int64(int16(binary.LittleEndian.Uint16(source))) //nolint:gosec // its bits are meant
		case 4:
			v = int64(int32(binary.LittleEndian.Uint32(source))) //nolint:gosec // its bits are meant
		default:
			v = int64(binary.LittleEndian.Uint64(source)) //nolint:gosec // its bits are meant
		}
		c.values = binary.LittleEndian.AppendUint64(c.values, uint64(v))     //nolint:gosec // its bits are meant
		c.values = binary.LittleEndian.AppendUint64(c.values, uint64(v>>63)) //nolint:gosec // its bits are meant
	}
}

// takeBits packs bytes that are 0 or 1.
func (c *vectorColumn) takeBits(rows, n int) {
	source := c.bytes(n)
	c.values = resized(c.values, (rows+n+7)/8)
	i := 0
	for ; i < n && (rows+i)%8 != 0; i++ {
		bitutil.SetBitTo(c.values, rows+i, source[i]&1 != 0)
	}
	for ; i+8 <= n; i += 8 {
		c.values[(rows+i)/8] = packed(binary.LittleEndian.Uint64(source[i:]))
	}
	if i < n {
		var last [8]byte
		copy(last[:], source[i:])
		c.values[(rows+i)/8] = packed(binary.LittleEndian.Uint64(last[:]))
	}
}

// packed gathers the lowest bits of eight bytes.
func packed(eight uint64) byte {
	return byte((eight & 0x0101010101010101) * 0x0102040810204080 >> 56)
}

func (c *vectorColumn) takeTexts(n int) {
	if len(c.offsets) == 0 {
		c.offsets = append(c.offsets, 0)
	}
	c.offsets = slices.Grow(c.offsets, n)
	at := len(c.values)
	c.values = slices.Grow(c.values, int(c.textSize(n))+textInside) // so that short ones can be copied whole
	to := c.values[:cap(c.values)]
	texts := c.texts(n)
	for i := range texts {
		t := &texts[i]
		switch {
		case c.mask != nil && !bitutil.BitIsSet(c.mask, i):
		case t.size <= textInside:
			*(*[textInside]byte)(to[at:]) = t.inside
			at += int(t.size)
		default:
			at += copy(to[at:], t.outside())
		}
		c.offsets = append(c.offsets, int32(at)) //nolint:gosec // a batch is smaller
	}
	c.values = to[:at]
}

// takeValid adds the bits of n values, if there are nulls among them or before.
func (c *vectorColumn) takeValid(rows, n int) {
	if c.mask == nil && c.nulls == 0 {
		return
	}
	if c.nulls == 0 {
		c.valid = resized(c.valid, (rows+7)/8)
		bitutil.SetBitsTo(c.valid, 0, int64(rows), true)
	}
	c.valid = resized(c.valid, (rows+n+7)/8)
	if c.mask == nil {
		bitutil.SetBitsTo(c.valid, int64(rows), int64(n), true)
		return
	}
	bitutil.CopyBitmap(c.mask, 0, n, c.valid, rows)
	c.nulls += n - bitutil.CountSetBits(c.mask, 0, n)
}

// resized is b with another size, its new end anything.
func resized(b []byte, size int) []byte {
	if size <= cap(b) {
		return b[:size]
	}
	return slices.Grow(b, size-len(b))[:size]
}
