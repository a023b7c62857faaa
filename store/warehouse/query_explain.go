package warehouse

import (
	"strings"
	"unicode/utf8"
)

// splitExplain takes EXPLAIN, ANALYZE and options off the front of a text. The
// head comes back in letters, blanks and parentheses only, of the same length
// and lines, so that positions in errors stay true. isSelect decides what may
// follow, because "(" opens options as well as a SELECT.
func splitExplain(sql string, isSelect func(string) bool) (head, rest string, found bool) {
	at, ok := skipWord(sql, skipBlanks(sql, 0), "explain")
	if !ok {
		return "", "", false
	}
	head = blankOut(sql[:at], "EXPLAIN")
	next := skipBlanks(sql, at)
	if after, analyze := skipWord(sql, next, "analyze"); analyze {
		head += blankOut(sql[at:after], "ANALYZE")
		at, next = after, skipBlanks(sql, after)
	}
	if rest = sql[next:]; isSelect(rest) {
		return head + blankOut(sql[at:next], ""), rest, true
	}
	if !strings.HasPrefix(rest, "(") {
		return "", "", false
	}
	options, rest, closed := strings.Cut(rest, ")")
	if !closed || !explainOptions(options[1:]) || !isSelect(rest) {
		return "", "", false
	}
	return head + blankOut(sql[at:next], "") + options + ")", rest, true
}

// explainOptions reports whether a text is words, commas and blanks only, such
// as "analyze, format json".
func explainOptions(s string) bool {
	for _, c := range []byte(s) {
		letter := c == '_' || (c|0x20 >= 'a' && c|0x20 <= 'z')
		if !letter && c != ',' && c != ' ' && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}

// blankOut returns a text as long as s that ends in word, with the lines of s
// and blanks for everything else.
func blankOut(s, word string) string {
	blank := strings.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		return ' '
	}, s)
	return blank[:max(len(blank)-len(word), 0)] + word
}

// skipWord returns the place after a word, in any case, that stands at i.
func skipWord(s string, i int, word string) (int, bool) {
	end := i + len(word)
	if end > len(s) || !strings.EqualFold(s[i:end], word) {
		return i, false
	}
	if end < len(s) && queryBlank(s[end:]) == 0 && isWordByte(s[end]) {
		return i, false
	}
	return end, true
}

// skipBlanks returns the place of the first byte from i that is neither a
// blank nor in a comment.
func skipBlanks(s string, i int) int {
	for i < len(s) {
		rest := s[i:]
		size := queryBlank(rest)
		switch {
		case s[i] == ';':
			i++
		case size > 0:
			i += size
		case strings.HasPrefix(rest, "--"):
			line := strings.IndexByte(rest, '\n')
			if line < 0 {
				return len(s)
			}
			i += line + 1
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return len(s)
			}
			i += end + 4
		default:
			return i
		}
	}
	return i
}

// queryBlank returns the size of the blank that a text begins with, as DuckDB
// sees blanks; 0 when it begins with none. Go's own idea of blanks is another.
func queryBlank(s string) (size int) {
	r, size := utf8.DecodeRuneInString(s)
	switch {
	case r == ' ', r == '\t', r == '\n', r == '\f', r == '\r',
		r == '\u00a0', r >= '\u2000' && r <= '\u200b', r == '\u202f', r == '\u205f', r == '\u2060', r == '\u3000', r == '\ufeff':
		return size
	}
	return 0
}
