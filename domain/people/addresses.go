package people

import (
	"strings"
	"unicode"

	"agnes/domain"
)

// Addressee is one address of a pasted list.
type Addressee struct {
	Text    string // as it was pasted
	Name    string // "" where none was beside it
	Email   string // as NormalEmail returns it; "" with a Problem
	Problem string // a sentence: why nobody can be invited by this
}

// ProblemTwice is the problem of an address that comes again.
const ProblemTwice = "This address is in the list already."

// MaxAddressees is how many addresses one list may hold.
const MaxAddressees = 500

// ParseAddressees reads addresses as people paste them: with commas, semicolons,
// blanks or line ends between them, and names as in Name <name@example.com>. What
// is no address stays in the list with its problem; an address that comes again
// is one too. It fails with a FieldError for an empty list and one too long.
func ParseAddressees(text string) ([]Addressee, error) {
	var all []Addressee
	seen := map[string]bool{}
	for _, piece := range addressPieces(text) {
		a := parseAddressee(piece)
		if a.Problem == "" && seen[a.Email] {
			a.Problem = ProblemTwice
			a.Email = ""
		}
		seen[a.Email] = true
		all = append(all, a)
	}
	switch {
	case len(all) == 0:
		return nil, domain.FieldError("emails", "Enter one address at least.")
	case len(all) > MaxAddressees:
		return nil, domain.FieldError("emails", "These are %d addresses; %d can be invited at once. Invite the others afterwards.", len(all), MaxAddressees)
	}
	return all, nil
}

// addressPieces cuts a list at separators outside quotes and angle brackets.
func addressPieces(text string) []string {
	var pieces []string
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == '\r' || r == ';' }) {
		var kept []string
		for _, part := range splitOutside(line) {
			part = strings.TrimFunc(part, blank)
			if part != "" {
				kept = append(kept, part)
			}
		}
		pieces = append(pieces, joinNames(kept)...)
	}
	return pieces
}

// splitOutside cuts a line at commas that neither quotes nor brackets hold.
func splitOutside(line string) []string {
	var parts []string
	quoted, bracketed, start := false, false, 0
	closes := strings.Count(line, `"`)%2 == 0 // else a quotation mark is just a letter
	for i, r := range line {
		switch {
		case r == '"' && closes:
			quoted = !quoted
		case r == '<' && !quoted:
			bracketed = true
		case r == '>' && !quoted:
			bracketed = false
		case r == ',' && !quoted && !bracketed:
			parts = append(parts, line[start:i])
			start = i + 1
		}
	}
	return append(parts, line[start:])
}

// joinNames puts a name back together that is written with a comma, as in
// Lovelace, Ada <ada@example.com>, and parts addresses that only blanks part.
func joinNames(parts []string) []string {
	var pieces []string
	for i := 0; i < len(parts); i++ {
		part := parts[i]
		words := strings.FieldsFunc(part, blank)
		switch {
		case !strings.Contains(part, "@") && i+1 < len(parts) && strings.Contains(parts[i+1], "<"):
			pieces = append(pieces, part+", "+parts[i+1])
			i++
		case len(words) > 1 && !strings.ContainsAny(part, `<>"`) && everyAddress(words):
			pieces = append(pieces, words...)
		default:
			pieces = append(pieces, part)
		}
	}
	return pieces
}

func everyAddress(words []string) bool {
	for _, word := range words {
		if !strings.Contains(word, "@") {
			return false
		}
	}
	return true
}

// parseAddressee reads one piece: an address, or a name with one in brackets.
func parseAddressee(piece string) Addressee {
	a := Addressee{Text: shortened(piece)}
	address := piece
	if open := strings.LastIndexByte(piece, '<'); open >= 0 && strings.HasSuffix(piece, ">") {
		a.Name = PersonName(strings.Trim(strings.TrimFunc(piece[:open], blank), `"'`))
		address = piece[open+1 : len(piece)-1]
	}
	address = strings.TrimPrefix(strings.TrimFunc(address, blank), "mailto:")
	email, err := NormalEmail(address)
	if err != nil {
		a.Name, a.Problem = "", "This is no e-mail address: it looks like name@example.com."
		return a
	}
	a.Email = email
	return a
}

// MaxName is the longest name of a person, in characters.
const MaxName = 200

// PersonName is a person's name as it is kept: on one line, without what does
// not print, and not too long.
func PersonName(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, text)
	if name := []rune(strings.Join(strings.Fields(text), " ")); len(name) > MaxName {
		return strings.TrimSpace(string(name[:MaxName]))
	}
	return strings.Join(strings.Fields(text), " ")
}

// shortened is what a list shows of a piece that may be anything.
func shortened(piece string) string {
	const most = 80
	piece = strings.ToValidUTF8(piece, "\uFFFD")
	if r := []rune(piece); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return piece
}

// blank also takes the spaces and marks that mail programs leave in what is copied.
func blank(r rune) bool { return unicode.IsSpace(r) || r == '\u200b' || r == '\ufeff' }
