package faults

import (
	"os"
	"testing"
	"time"
)

// TestReadersUnderPublishes is line F14 in its long form: half an hour and more.
// A build for it is made first.
func TestReadersUnderPublishes(t *testing.T) {
	if os.Getenv("AGNES_LONG") != "1" {
		t.Skip("publishes 500 times under 20 readers; set AGNES_LONG=1 and -timeout 2h")
	}
	c, err := newCampaign(t.Context(), true, uint64(time.Now().UnixNano()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if err := c.build(*binary); err != nil {
		t.Fatal(err)
	}
	if code := c.run(chosen(lines(), "F14")); code != 0 {
		t.Errorf("the line did not hold; seed %d", c.seed)
	}
}
