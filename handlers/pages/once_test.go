package pages

import (
	"testing"
	"time"

	"agnes/views"
)

func TestOnceShowsATokenOnceAndNotForLong(t *testing.T) {
	t.Parallel()
	var o once
	now := time.Unix(1_000_000, 0)
	first, second := o.put(now, views.MadeToken{Text: "a"}), o.put(now, views.MadeToken{Text: "b"})
	if got := o.take(now, first); got == nil || got.Text != "a" {
		t.Errorf("took %+v", got)
	}
	if o.take(now, first) != nil || o.take(now, "nothing") != nil {
		t.Error("a token is shown twice, or one that there is not")
	}
	if o.take(now.Add(onceFor+1), second) != nil {
		t.Error("a token waits too long")
	}
	o.put(now, views.MadeToken{})
	o.put(now.Add(onceFor+1), views.MadeToken{})
	if len(o.waiting) != 1 {
		t.Errorf("%d tokens wait, want only the new one", len(o.waiting))
	}
}
