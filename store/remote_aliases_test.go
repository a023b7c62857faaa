package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestClaimRemote(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	type owners = map[string]string
	for _, c := range []struct {
		what, source  string
		named, wanted []string
		want          owners
	}{
		{"the first one", "a", []string{"kbc", "bq"}, []string{"kbc", "bq"}, owners{"kbc": "a", "bq": "a"}},
		{"the same again", "a", []string{"kbc", "bq"}, []string{"kbc", "bq"}, owners{"kbc": "a", "bq": "a"}},
		{"another one, in another case", "b", []string{"KBC", "own"}, []string{"KBC", "own"}, owners{"KBC": "a", "own": "b"}},
		{"named, and not to be tried now", "a", []string{"kbc", "bq"}, nil, owners{}},
		{"so it is still taken", "b", []string{"bq", "own"}, []string{"bq"}, owners{"bq": "a"}},
		{"not named any more", "a", []string{"kbc"}, []string{"kbc"}, owners{"kbc": "a"}},
		{"so it is free", "b", []string{"bq"}, []string{"bq"}, owners{"bq": "b"}},
	} {
		got, err := s.ClaimRemote(t.Context(), c.source, c.named, c.wanted)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.what, diff)
		}
	}
	if err := s.DeleteSource(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if got := must[owners](t)(s.ClaimRemote(t.Context(), "b", []string{"kbc"}, []string{"kbc"})); got["kbc"] != "b" {
		t.Errorf("an alias of a source that is gone still belongs to %s", got["kbc"])
	}
}
