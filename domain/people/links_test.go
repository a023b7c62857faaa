package people

import (
	"strings"
	"testing"
)

func TestCodes(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		code, err := newCode()
		if err != nil || len(code) != codeLength || strings.Trim(code, codeAlphabet) != "" || seen[code] {
			t.Fatalf("newCode() = %q, %v", code, err)
		}
		seen[code] = true
		for _, typed := range []string{spacedCode(code), strings.ToLower(code), " " + code[:3] + " " + code[3:] + "\n"} {
			if got := plainCode(typed); got != code {
				t.Errorf("plainCode(%q) = %q, want %q", typed, got, code)
			}
		}
	}
	for _, mistaken := range "01ILO" {
		if strings.ContainsRune(codeAlphabet, mistaken) {
			t.Errorf("codes hold %c, which is taken for another", mistaken)
		}
	}
	if got := plainCode("äé-%00 "); got != "" && len(got) == codeLength {
		t.Errorf("plainCode makes %q of nothing", got)
	}
}

func TestHashesHoldTheirPurpose(t *testing.T) {
	t.Parallel()
	seen := map[string]Purpose{}
	for _, p := range []Purpose{ToSignIn, ToReset, ToSetUp} {
		ref := reference(p, "token")
		if other, there := seen[ref]; there || len(ref) != 64 {
			t.Errorf("the reference for %s is %s, that of %s too", p, ref, other)
		}
		seen[ref] = p
		if p.Lifetime() <= 0 || p.path() == "/login" {
			t.Errorf("%s lives %v at %s", p, p.Lifetime(), p.path())
		}
	}
	if string(codeHash("a", "bc")) == string(codeHash("ab", "c")) {
		t.Error("the code of one request is that of another")
	}
}

func TestOutboxKeepsTheNewest(t *testing.T) {
	t.Parallel()
	o := &Outbox{}
	for i := range 2 * maxPosted {
		o.add(Posted{To: strings.Repeat("x", i)})
	}
	list := o.List()
	if len(list) != maxPosted || len(list[0].To) != 2*maxPosted-1 || len(list[maxPosted-1].To) != maxPosted {
		t.Errorf("%d mails, the first of %d", len(list), len(list[0].To))
	}
	if (*Outbox)(nil).List() != nil {
		t.Error("no outbox has mails")
	}
}

func TestAskBoundsItself(t *testing.T) {
	t.Parallel()
	l := &Links{Outbox: &Outbox{}}
	for range maxQuestions {
		if err := l.Ask(t.Context(), Question{Purpose: ToSignIn, Email: "ben@example.com"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Ask(t.Context(), Question{Purpose: ToSignIn, Email: "ben@example.com"}); err == nil {
		t.Error("more questions wait than there is room for")
	}
}

func TestPasswordsThatAreTriedFirst(t *testing.T) {
	t.Parallel()
	for password, fine := range map[string]bool{
		"password": false, "PASSWORD": false, "password1": false, "Passw0rd": false, "12345678": false, "qwertyuiop": false, "Summer2026!": false, "iloveyou": false,
		"aaaaaaaa": false, "abababab": false, "i-like-agnes": false, "lovelace-engine": false, "notes-of-lovelace": false,
		"correct horse": true, "nine green kettles": true, "k7#mQp2x": true, "ada wins at chess": true,
	} {
		if err := CheckPassword(password, "lovelace@example.com", "ada@example.com"); (err == nil) != fine {
			t.Errorf("CheckPassword(%q) = %v, want fine %t", password, err, fine)
		}
	}
}
