package warehouse

import "bytes"

// What a cell looks like that its type may not hold.

// longDigits says whether a cell may have more digits than DOUBLE has before its
// point, or than it reaches.
func longDigits(cell []byte) bool {
	dot := bytes.IndexByte(cell, '.')
	return len(cell) > longNumber || dot < 0 || dot > longWhole
}

// odd says whether a cell may be one that its type cannot hold, from its first
// suspect byte, at p, on.
func odd(kind cellKind, cell []byte, p int) bool {
	rest := cell[p:]
	switch kind {
	case doubleCell:
		if len(rest) > 1 && rest[1] >= '0' && rest[1] <= '9' && bytes.IndexByte(cell[:p], '.') < 0 || p > longWhole && longDigits(cell[:p]) {
			return true // 1e5, which may be no number, or digits that are lost
		}
		digits := 0
		for _, b := range rest[1:] {
			if b >= '0' && b <= '9' {
				digits++
			}
		}
		return digits > 2 || len(rest) > longNumber
	case clockCell, timeCell:
		if rest[0] != ':' || bytes.IndexByte(rest, '+') >= 0 || bytes.IndexByte(rest, '-') >= 0 {
			return true
		}
		dot := bytes.IndexByte(rest, '.')
		return dot >= 0 && len(rest)-dot > len(".000000")
	case anyCell, wholeCell, dayCell:
	}
	return true
}

// plainStart says whether most cells begin like this one, which is as good as
// any.
func plainStart(kind cellKind, cell []byte) bool {
	if kind == wholeCell || kind == doubleCell {
		return cell[0]-'1' < 9
	}
	return kind == timeCell || len(cell) > 4 && cell[0]-'0' < 10 && cell[1]-'0' < 10 && cell[2]-'0' < 10 && cell[3]-'0' < 10
}

// oddStart says whether a cell begins as no number that is written plainly does,
// nor a date with its year.
func oddStart(kind cellKind, cell []byte) bool {
	cell = bytes.TrimLeft(cell, " \t\v\f")
	switch kind {
	case wholeCell, doubleCell:
		cell = bytes.TrimPrefix(cell, []byte("-"))
		return cell[0] == '+' || len(cell) > 1 && cell[0] == '0' && (cell[1] >= '0' && cell[1] <= '9' || cell[1]|0x20 >= 'a' && cell[1]|0x20 <= 'z')
	case clockCell, dayCell:
		return shortYearAt(cell)
	case anyCell, timeCell:
	}
	return false
}

// shortYearAt says whether text begins with a number of less than four digits.
func shortYearAt(text []byte) bool {
	n := 0
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return n < 4
}
