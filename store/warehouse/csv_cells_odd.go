package warehouse

import "bytes"

// What a cell looks like that its type may not hold.

// odd says whether a cell may be one that its type cannot hold, from its first
// suspect byte on.
func odd(kind cellKind, rest []byte) bool {
	switch kind {
	case doubleCell:
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
