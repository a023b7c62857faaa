package people

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/ccojocar/zxcvbn-go/data"

	"agnes/domain"
)

// MinPassword is the shortest password accepted, in characters.
const MinPassword = 8

// product is a word that many choose for a password here.
const product = "agnes"

// CheckPassword fails with a FieldError when a new password is too short, too
// long to hash, one of those that are tried first, or made of the product's
// name or of the person's address.
func CheckPassword(password string, addresses ...string) error {
	switch n := utf8.RuneCountInString(password); {
	case n < MinPassword:
		return domain.FieldError("password", "A password has at least %d characters; this one has %d.", MinPassword, n)
	case len(password) > 1024:
		return domain.FieldError("password", "A password has at most 1,024 bytes.")
	}
	lower := strings.ToLower(password)
	if strings.Contains(lower, product) {
		return domain.FieldError("password", "A password does not contain the name of this product. Several words that have nothing to do with each other make a good one.")
	}
	for _, address := range addresses {
		if local, _, _ := strings.Cut(strings.ToLower(address), "@"); len(local) >= minLocal && strings.Contains(lower, local) {
			return domain.FieldError("password", "A password does not contain your address. Several words that have nothing to do with each other make a good one.")
		}
	}
	common, err := isCommon(lower)
	switch {
	case err != nil:
		return err
	case common:
		return domain.FieldError("password", "This password is among those that are tried first. Several words that have nothing to do with each other make a good one.")
	}
	return nil
}

// minLocal is the shortest part of an address that is looked for: shorter ones
// are in many words.
const minLocal = 4

// isCommon reports whether a password in lower case is one of few characters, or
// one of the known ones, also with digits and signs after it.
func isCommon(lower string) (bool, error) {
	known, err := knownPasswords()
	if err != nil {
		return false, err
	}
	different := map[rune]bool{}
	for _, r := range lower {
		different[r] = true
	}
	word := strings.TrimRightFunc(lower, func(r rune) bool { return !unicode.IsLetter(r) })
	return len(different) < 4 || known[lower] || utf8.RuneCountInString(word) >= minLocal && known[word], nil
}

// knownPasswords is the list of common passwords of zxcvbn, read when it is
// first needed: child processes of the same program never do.
//
//nolint:gochecknoglobals // what sync.OnceValues makes does not change
var knownPasswords = sync.OnceValues(func() (map[string]bool, error) {
	text, err := data.Asset("data/Passwords.json")
	if err != nil {
		return nil, fmt.Errorf("read the list of common passwords: %w", err)
	}
	var list struct{ List []string }
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("read the list of common passwords: %w", err)
	}
	known := make(map[string]bool, len(list.List))
	for _, password := range list.List {
		known[password] = true
	}
	return known, nil
})
