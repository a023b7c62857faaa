package people

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"agnes/domain"
)

func TestParseAddressees(t *testing.T) {
	const no = "This is no e-mail address: it looks like name@example.com."
	for _, c := range []struct {
		text string
		want []Addressee
	}{
		{"Ada@Example.com", []Addressee{{Text: "Ada@Example.com", Email: "ada@example.com"}}},
		{"a@b.c, d@e.f;g@h.i\r\n\nj@k.l\n", []Addressee{
			{Text: "a@b.c", Email: "a@b.c"}, {Text: "d@e.f", Email: "d@e.f"}, {Text: "g@h.i", Email: "g@h.i"}, {Text: "j@k.l", Email: "j@k.l"},
		}},
		{"a@b.c d@e.f\tg@h.i", []Addressee{{Text: "a@b.c", Email: "a@b.c"}, {Text: "d@e.f", Email: "d@e.f"}, {Text: "g@h.i", Email: "g@h.i"}}},
		{"Ada Lovelace <ada@example.com>", []Addressee{{Text: "Ada Lovelace <ada@example.com>", Name: "Ada Lovelace", Email: "ada@example.com"}}},
		{`"Lovelace, Ada" <ada@example.com>, b@c.d`, []Addressee{
			{Text: `"Lovelace, Ada" <ada@example.com>`, Name: "Lovelace, Ada", Email: "ada@example.com"}, {Text: "b@c.d", Email: "b@c.d"},
		}},
		{"Lovelace, Ada <ada@example.com>; b@c.d", []Addressee{
			{Text: "Lovelace, Ada <ada@example.com>", Name: "Lovelace, Ada", Email: "ada@example.com"}, {Text: "b@c.d", Email: "b@c.d"},
		}},
		{"<a@b.c>, <mailto:d@e.f>", []Addressee{{Text: "<a@b.c>", Email: "a@b.c"}, {Text: "<mailto:d@e.f>", Email: "d@e.f"}}},
		{"a@b.c, A@B.C", []Addressee{{Text: "a@b.c", Email: "a@b.c"}, {Text: "A@B.C", Problem: "This address is in the list already."}}},
		{"ada, b@c.d, @, x@", []Addressee{
			{Text: "ada", Problem: no}, {Text: "b@c.d", Email: "b@c.d"}, {Text: "@", Problem: no}, {Text: "x@", Problem: no},
		}},
		{`O"Hara <o@b.c>, d@e.f`, []Addressee{{Text: `O"Hara <o@b.c>`, Name: `O"Hara`, Email: "o@b.c"}, {Text: "d@e.f", Email: "d@e.f"}}},
		{"Ada\u202e <a@b.c>", []Addressee{{Text: "Ada\u202e <a@b.c>", Name: "Ada", Email: "a@b.c"}}},
	} {
		got, err := ParseAddressees(c.text)
		if err != nil || !cmp.Equal(got, c.want) {
			t.Errorf("ParseAddressees(%q): %v %s", c.text, err, cmp.Diff(c.want, got))
		}
	}
}

func TestParseAddresseesRefuses(t *testing.T) {
	var many strings.Builder
	for i := range MaxAddressees + 1 {
		fmt.Fprintf(&many, "p%d@example.com\n", i)
	}
	for what, text := range map[string]string{"nothing": " ,;\n ", "too many": many.String()} {
		if _, err := ParseAddressees(text); domain.CodeOf(err) != "invalid_emails" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func FuzzParseAddressees(f *testing.F) {
	for _, s := range []string{"a@b.c, d@e.f", `"x, y" <a@b.c>;`, "x, y <a@b.c>", `"<a@b.c>`, "<<a@b.c>>", "a@b.c\u200b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all, err := ParseAddressees(text)
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, a := range all {
			if (a.Email == "") == (a.Problem == "") {
				t.Fatalf("%q: %+v is neither an address nor a problem", text, a)
			}
			if a.Email == "" {
				continue
			}
			if again, err := NormalEmail(a.Email); err != nil || again != a.Email || seen[a.Email] {
				t.Fatalf("%q: address %q, again %t, %v", text, a.Email, seen[a.Email], err)
			}
			seen[a.Email] = true
			if strings.ContainsFunc(a.Name, func(r rune) bool { return r < ' ' }) {
				t.Fatalf("%q: name %q", text, a.Name)
			}
		}
	})
}
