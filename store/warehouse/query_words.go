package warehouse

import (
	"strings"
	"unicode/utf8"
)

// queryToken is a piece of SQL text: a word, a quoted text, or one character.
type queryToken struct {
	start, end int
	depth      int  // of parentheses around it
	word       bool // may be a key word
}

// tokens cuts a text as DuckDB's scanner does. It decides nothing about what a
// statement may do: what is made with it is parsed by DuckDB again.
func tokens(sql string) []queryToken {
	var all []queryToken
	depth := 0
	for i := skipBlanks(sql, 0); i < len(sql); i = skipBlanks(sql, i) {
		t := queryToken{start: i, depth: depth}
		switch c := sql[i]; {
		case c == '\'' || c == '"':
			t.end = quotedEnd(sql, i, c, i > 0 && sql[i-1]|0x20 == 'e' && c == '\'')
		case c == '$':
			t.end = dollarEnd(sql, i)
		case isWordByte(c):
			t.word = true
			for t.end = i + 1; t.end < len(sql) && isWordByte(sql[t.end]); t.end++ {
				if queryBlank(sql[t.end:]) > 0 {
					break
				}
			}
		default:
			t.end = i + 1
			switch c {
			case '(', '[', '{':
				depth++
			case ')', ']', '}':
				depth--
				t.depth = depth
			}
		}
		all = append(all, t)
		i = t.end
	}
	return all
}

func isWordByte(c byte) bool {
	return c == '_' || c >= utf8.RuneSelf || (c >= '0' && c <= '9') || (c|0x20 >= 'a' && c|0x20 <= 'z')
}

// quotedEnd returns the place after a quoted text, in which a doubled quote
// stands for one.
func quotedEnd(sql string, i int, quote byte, escapes bool) int {
	for i++; i < len(sql); i++ {
		switch {
		case escapes && sql[i] == '\\':
			i++
		case sql[i] == quote && i+1 < len(sql) && sql[i+1] == quote:
			i++
		case sql[i] == quote:
			return i + 1
		}
	}
	return len(sql)
}

// dollarEnd returns the place after $tag$…$tag$, or after the $ alone.
func dollarEnd(sql string, i int) int {
	tag := i + 1
	for tag < len(sql) && isWordByte(sql[tag]) {
		tag++
	}
	if tag >= len(sql) || sql[tag] != '$' {
		return i + 1
	}
	mark := sql[i : tag+1]
	end := strings.Index(sql[tag+1:], mark)
	if end < 0 {
		return len(sql)
	}
	return tag + 1 + end + len(mark)
}

// markPivots writes a marker behind every ON of a PIVOT that names no values.
func markPivots(sql string) string {
	all := tokens(sql)
	is := func(i int, words ...string) bool {
		if i < 0 || i >= len(all) {
			return false
		}
		for _, w := range words {
			if strings.EqualFold(sql[all[i].start:all[i].end], w) {
				return true
			}
		}
		return false
	}
	insert := map[int]bool{} // by token: the marker goes behind it
	for i := range all {
		if !is(i, "pivot", "pivot_wider") {
			continue
		}
		on, end := pivotList(all, i, is)
		if on < 0 {
			continue
		}
		first := on + 1
		for j := first; j <= end; j++ {
			if j < end && (all[j].depth != all[i].depth || !is(j, ",")) {
				continue
			}
			if j > first && !namesValues(all, first, j, is) {
				insert[j-1] = true
			}
			first = j + 1
		}
	}
	var b strings.Builder
	last := 0
	for i, t := range all {
		if insert[i] {
			b.WriteString(sql[last:t.end] + " IN ('" + pivotMarker + "')")
			last = t.end
		}
	}
	return b.String() + sql[last:]
}

// pivotList finds the ON of a PIVOT that begins at token i, past the joins in
// its source, and the token where its list ends; -1 when there is none.
func pivotList(all []queryToken, i int, is func(int, ...string) bool) (on, end int) {
	on = -1
	joins := 0 // that wait for their own ON or USING
	for end = i + 1; end < len(all); end++ {
		switch t := all[end]; {
		case t.depth < all[i].depth || is(end, ";"):
			return on, end
		case t.depth > all[i].depth || !t.word:
			continue
		case is(end, "join"):
			if !is(end-1, "cross", "natural", "positional") && !is(end-2, "natural") {
				joins++
			}
		case joins > 0 && is(end, "on", "using"):
			joins--
		case is(end, "on"):
			on = end
		case on >= 0 && is(end, "using", "group", "order", "limit", "offset", "union", "except", "intersect"):
			return on, end
		}
	}
	return on, end
}

// namesValues reports whether one element after ON ends in an IN of its own:
// IN (…), or IN and one name.
func namesValues(all []queryToken, first, end int, is func(int, ...string) bool) bool {
	depth := all[first].depth
	last := end - 1
	if is(last, ")") && all[last].depth == depth {
		for last--; last > first && all[last].depth > depth; last-- {
		}
	}
	return last > first && all[last-1].depth == depth && is(last-1, "in")
}
