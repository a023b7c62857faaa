package warehouse

import "strings"

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
	if end < len(s) && (s[end] == '_' || s[end] >= 0x80 || (s[end] >= '0' && s[end] <= '9') || (s[end]|0x20 >= 'a' && s[end]|0x20 <= 'z')) {
		return i, false
	}
	return end, true
}

// skipBlanks returns the place of the first byte from i that is neither a
// blank nor in a comment.
func skipBlanks(s string, i int) int {
	for i < len(s) {
		switch rest := s[i:]; {
		case strings.IndexByte(" \t\n\r\f\v;", s[i]) >= 0:
			i++
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
